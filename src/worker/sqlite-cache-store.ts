import type { DatabaseSync } from 'node:sqlite';
import type { Digest } from '../base/digest.ts';
import type { LayerId, Snapshots, Stack } from '../snapshot/snapshots.ts';
import type { CacheRecordInfo, CacheStore } from '../solver/cache-store.ts';
import type { Handle } from '../solver/op.ts';
import { holdRef, type Ref } from './ref.ts';

/** A record as it stands in the table. */
export interface CacheRecord extends CacheRecordInfo {
  readonly key: Digest;
  readonly outputs: readonly Stack[];
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly usageCount: number;
}

const schema = `
  CREATE TABLE IF NOT EXISTS cache_records (
    key TEXT PRIMARY KEY, outputs TEXT NOT NULL, vertex TEXT NOT NULL, description TEXT NOT NULL, op TEXT NOT NULL,
    inputs TEXT NOT NULL, created INTEGER NOT NULL, used INTEGER NOT NULL, uses INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS cache_links (definition TEXT PRIMARY KEY, key TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Cache records in the daemon's database. A record whose layers are gone is forgotten when it is met. */
export class SqliteCacheStore implements CacheStore<Ref> {
  readonly #database: DatabaseSync;
  readonly #snapshots: Snapshots;

  constructor(database: DatabaseSync, snapshots: Snapshots) {
    this.#database = database;
    this.#snapshots = snapshots;
    database.exec(schema);
  }

  find(key: Digest): readonly Handle<Ref>[] | undefined {
    const row = this.#database.prepare('SELECT outputs FROM cache_records WHERE key = ?').get(key);
    if (!row) return undefined;
    const outputs = parseOutputs(row.outputs);
    if (!outputs.every((stack) => stack.every((layer) => this.#snapshots.has(layer)))) {
      this.remove([key]);
      return undefined;
    }
    this.#database.prepare('UPDATE cache_records SET used = ?, uses = uses + 1 WHERE key = ?').run(Date.now(), key);
    for (const stack of outputs) this.#snapshots.touch(stack);
    return outputs.map((stack) => holdRef(this.#snapshots, { kind: 'layers', stack }));
  }

  /** A record's layers, without holding them. */
  outputsOf(key: Digest): readonly Stack[] | undefined {
    const row = this.#database.prepare('SELECT outputs FROM cache_records WHERE key = ?').get(key);
    const outputs = row && parseOutputs(row.outputs);
    return outputs?.every((stack) => stack.every((layer) => this.#snapshots.has(layer))) ? outputs : undefined;
  }

  has(key: Digest): boolean {
    return this.#database.prepare('SELECT 1 FROM cache_records WHERE key = ?').get(key) !== undefined;
  }

  save(key: Digest, outputs: readonly Ref[], info: CacheRecordInfo): void {
    const stacks: Stack[] = [];
    for (const output of outputs) {
      // What is not made of layers yet is cheaper to find again than to keep.
      if (output.kind !== 'layers') return;
      stacks.push(output.stack);
    }
    const now = Date.now();
    this.#database
      .prepare('INSERT OR REPLACE INTO cache_records VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)')
      .run(
        key,
        JSON.stringify(stacks),
        info.vertex,
        info.description,
        info.opDigest,
        JSON.stringify(info.inputKeys),
        now,
        now,
      );
  }

  findLink(definitionKey: Digest): Digest | undefined {
    const row = this.#database.prepare('SELECT key FROM cache_links WHERE definition = ?').get(definitionKey);
    return row?.key as Digest | undefined;
  }

  saveLink(definitionKey: Digest, key: Digest): void {
    this.#database.prepare('INSERT OR REPLACE INTO cache_links VALUES (?, ?)').run(definitionKey, key);
  }

  list(): CacheRecord[] {
    return this.#database
      .prepare('SELECT * FROM cache_records')
      .all()
      .map((row) => ({
        key: row.key as Digest,
        outputs: parseOutputs(row.outputs),
        vertex: row.vertex as Digest,
        description: String(row.description),
        opDigest: row.op as Digest,
        inputKeys: JSON.parse(String(row.inputs)),
        createdAt: Number(row.created),
        lastUsedAt: Number(row.used),
        usageCount: Number(row.uses),
      }));
  }

  /** Forgets records and the links that lead to them; their layers go with the next collection. */
  remove(keys: readonly Digest[]): void {
    const record = this.#database.prepare('DELETE FROM cache_records WHERE key = ?');
    const links = this.#database.prepare('DELETE FROM cache_links WHERE key = ?');
    this.#database.exec('BEGIN');
    try {
      for (const key of keys) {
        record.run(key);
        links.run(key);
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

function parseOutputs(text: unknown): LayerId[][] {
  return JSON.parse(String(text));
}
