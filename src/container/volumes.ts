import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { invalidArgument, notFound, SlipwayError } from '../base/errors.ts';
import { fsyncDirectory } from '../base/files.ts';

export interface Volume {
  readonly name: string;
  /** Made for a container that named none; removed with it by `rm -v` and `run --rm`. */
  readonly anonymous: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** ISO time. */
  readonly created: string;
  /** The directory that containers see. */
  readonly path: string;
}

const schema = `
  CREATE TABLE IF NOT EXISTS volumes (name TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** By what docker's clients know an anonymous volume. */
const anonymousLabel = 'com.docker.volume.anonymous';

/** Directories that outlive containers: `<root>/<name>/_data`, with their records in the database. */
export class Volumes {
  readonly #root: string;
  readonly #database: DatabaseSync;

  constructor(root: string, database: DatabaseSync) {
    this.#root = root;
    this.#database = database;
    database.exec(schema);
    mkdirSync(root, { recursive: true, mode: 0o711 });
  }

  /** The volume of that name, made if it is missing; without a name a new anonymous one. Throws invalid-argument. */
  ensure(
    wanted: { readonly name?: string | undefined; readonly labels?: Readonly<Record<string, string>> | undefined } = {},
  ): { readonly volume: Volume; readonly isNew: boolean } {
    const name = wanted.name || randomBytes(32).toString('hex');
    checkVolumeName(name);
    const existing = this.#find(name);
    if (existing) return { volume: existing, isNew: false };
    const anonymous = !wanted.name;
    const record = {
      anonymous,
      labels: { ...(anonymous ? { [anonymousLabel]: '' } : {}), ...wanted.labels },
      created: new Date().toISOString(),
    };
    mkdirSync(join(this.#root, name, '_data'), { recursive: true, mode: 0o755 });
    fsyncDirectory(this.#root);
    this.#database.prepare('INSERT INTO volumes VALUES (?, ?)').run(name, JSON.stringify(record));
    return { volume: this.get(name), isNew: true };
  }

  /** Throws not-found. */
  get(name: string): Volume {
    const volume = this.#find(name);
    if (!volume) throw notFound(`get ${name}: no such volume`);
    return volume;
  }

  has(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  list(): Volume[] {
    return this.#database
      .prepare('SELECT name, record FROM volumes ORDER BY name')
      .all()
      .map((row) => this.#volumeOf(String(row.name), String(row.record)));
  }

  /** Throws not-found, and failed-precondition when containers have it mounted. */
  async remove(name: string, users: readonly string[]): Promise<void> {
    this.get(name);
    if (users.length > 0)
      throw new SlipwayError('failed-precondition', `remove ${name}: volume is in use - [${users.join(', ')}]`);
    this.#database.prepare('DELETE FROM volumes WHERE name = ?').run(name);
    await rm(join(this.#root, name), { recursive: true, force: true });
  }

  #find(name: string): Volume | undefined {
    const row = this.#database.prepare('SELECT record FROM volumes WHERE name = ?').get(name);
    return row && this.#volumeOf(name, String(row.record));
  }

  #volumeOf(name: string, record: string): Volume {
    return { ...JSON.parse(record), name, path: join(this.#root, name, '_data') };
  }
}

export function checkVolumeName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}$/.test(name)) return;
  throw invalidArgument(
    `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  );
}
