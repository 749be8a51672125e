import type { DatabaseSync } from 'node:sqlite';
import { type BuildHistoryRecord, BuildHistoryRecordSchema } from '../../../api/gen/control_pb.js';
import { fromBinary } from '../../../api/message/decode.ts';
import { toBinary } from '../../../api/message/encode.ts';
import type { Digest } from '../../../base/digest.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS history_records (
    ref TEXT PRIMARY KEY, created INTEGER NOT NULL, pinned INTEGER NOT NULL, record BLOB NOT NULL, blobs TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS history_listings (key TEXT PRIMARY KEY, digest TEXT NOT NULL, size INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Finished builds in the daemon's database: each with the blobs that it keeps. */
export class HistoryTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(schema);
  }

  /** The newest first. */
  list(): BuildHistoryRecord[] {
    return this.#database
      .prepare('SELECT record FROM history_records ORDER BY created DESC')
      .all()
      .map((row) => readRecord(row.record));
  }

  find(ref: string): BuildHistoryRecord | undefined {
    const row = this.#database.prepare('SELECT record FROM history_records WHERE ref = ?').get(ref);
    return row && readRecord(row.record);
  }

  save(record: BuildHistoryRecord, created: number, blobs?: readonly Digest[]): void {
    const kept = blobs ? JSON.stringify(blobs) : this.#blobsOf(record.Ref);
    this.#database
      .prepare('INSERT OR REPLACE INTO history_records VALUES (?, ?, ?, ?, ?)')
      .run(record.Ref, created, record.pinned ? 1 : 0, toBinary(BuildHistoryRecordSchema, record), kept);
  }

  remove(ref: string): boolean {
    return this.#database.prepare('DELETE FROM history_records WHERE ref = ?').run(ref).changes > 0;
  }

  /** Refs past the newest `keep` that nobody pinned. */
  surplus(keep: number): string[] {
    return this.#database
      .prepare('SELECT ref FROM history_records WHERE pinned = 0 ORDER BY created DESC LIMIT -1 OFFSET ?')
      .all(keep)
      .map((row) => String(row.ref));
  }

  /** Whatever any record keeps. */
  blobs(): Set<Digest> {
    const rows = this.#database.prepare('SELECT blobs FROM history_records').all();
    return new Set(rows.flatMap((row) => JSON.parse(String(row.blobs)) as Digest[]));
  }

  listing(key: string): { readonly digest: Digest; readonly size: number } | undefined {
    const row = this.#database.prepare('SELECT digest, size FROM history_listings WHERE key = ?').get(key);
    return row && { digest: row.digest as Digest, size: Number(row.size) };
  }

  saveListing(key: string, digest: Digest, size: number): void {
    this.#database.prepare('INSERT OR REPLACE INTO history_listings VALUES (?, ?, ?)').run(key, digest, size);
  }

  /** Forgets listings that no record keeps; answers their content keys. */
  dropListings(): string[] {
    const kept = this.blobs();
    const rows = this.#database.prepare('SELECT key, digest FROM history_listings').all();
    const gone = rows.filter(({ digest }) => !kept.has(digest as Digest)).map(({ key }) => String(key));
    const remove = this.#database.prepare('DELETE FROM history_listings WHERE key = ?');
    for (const key of gone) remove.run(key);
    return gone;
  }

  #blobsOf(ref: string): string {
    return String(this.#database.prepare('SELECT blobs FROM history_records WHERE ref = ?').get(ref)?.blobs ?? '[]');
  }
}

function readRecord(value: unknown): BuildHistoryRecord {
  return fromBinary(BuildHistoryRecordSchema, value as Uint8Array);
}
