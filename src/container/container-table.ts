import type { DatabaseSync } from 'node:sqlite';
import { notFound, SlipwayError } from '../base/errors.ts';
import type { ContainerRecord } from './container-record.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS containers (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Container records by id and name. */
export class ContainerTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(schema);
  }

  /** Throws already-exists when another container has the name. */
  put(record: ContainerRecord): void {
    const holder = this.#database.prepare('SELECT id FROM containers WHERE name = ?').get(record.name);
    if (holder && holder.id !== record.id) {
      throw new SlipwayError(
        'already-exists',
        `Conflict. The container name "/${record.name}" is already in use by container "${holder.id}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
    }
    this.#database
      .prepare(
        'INSERT INTO containers VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, record = excluded.record',
      )
      .run(record.id, record.name, JSON.stringify(record));
  }

  /** By id, name, or a prefix of an id that only one has. Throws not-found. */
  find(text: string): ContainerRecord {
    const bare = text.replace(/^\//, '');
    const exact = this.#database.prepare('SELECT record FROM containers WHERE id = ? OR name = ?').get(bare, bare);
    if (exact) return parse(exact.record);
    const near = /^[0-9a-f]{2,63}$/.test(bare)
      ? this.#database.prepare("SELECT record FROM containers WHERE id LIKE ? || '%' LIMIT 2").all(bare)
      : [];
    const [only] = near;
    if (only && near.length === 1) return parse(only.record);
    throw notFound(near.length > 1 ? `multiple IDs found with provided prefix: ${bare}` : `No such container: ${text}`);
  }

  list(): ContainerRecord[] {
    return this.#database
      .prepare('SELECT record FROM containers')
      .all()
      .map((row) => parse(row.record))
      .toSorted((a, b) => (a.created < b.created ? 1 : -1));
  }

  remove(id: string): void {
    this.#database.prepare('DELETE FROM containers WHERE id = ?').run(id);
  }

  has(id: string): boolean {
    return this.#database.prepare('SELECT 1 FROM containers WHERE id = ?').get(id) !== undefined;
  }

  hasName(name: string): boolean {
    return this.#database.prepare('SELECT 1 FROM containers WHERE name = ?').get(name) !== undefined;
  }
}

function parse(text: unknown): ContainerRecord {
  return JSON.parse(String(text));
}
