import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

export interface CacheMountOptions {
  /** The id as the op names it, namespace included. */
  readonly id: string;
  readonly sharing: 'shared' | 'private' | 'locked';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** A directory whose files a new cache mount starts with. */
  readonly seed?: string | undefined;
  readonly signal: AbortSignal;
}

/** A directory that one step may use until it is released. */
export interface CacheMountLease {
  readonly path: string;
  release(): void;
}

export interface CacheMountInfo {
  readonly id: string;
  readonly directory: string;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly usageCount: number;
  readonly inUse: boolean;
}

const schema = `
  CREATE TABLE IF NOT EXISTS cache_mounts (
    directory TEXT PRIMARY KEY, id TEXT NOT NULL, created INTEGER NOT NULL, used INTEGER NOT NULL, uses INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`;

/**
 * The directories behind `RUN --mount=type=cache`, one or more per id: `shared` gives the first to everybody, `locked` to one at a time,
 * `private` a further one to whoever comes while the others are taken. They outlive builds and are dropped only by prune.
 */
export class CacheMounts {
  readonly #database: DatabaseSync;
  readonly #directory: string;
  readonly #users = new Map<string, number>();
  readonly #locks = new Map<string, Promise<void>>();

  constructor(database: DatabaseSync, directory: string) {
    this.#database = database;
    this.#directory = directory;
    database.exec(schema);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  async acquire(options: CacheMountOptions): Promise<CacheMountLease> {
    const unlock = options.sharing === 'locked' ? await this.#lock(options.id, options.signal) : undefined;
    try {
      const name = this.#choose(options);
      const path = join(this.#directory, name);
      this.#users.set(name, (this.#users.get(name) ?? 0) + 1);
      const now = Date.now();
      this.#database
        .prepare(
          'INSERT INTO cache_mounts VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET used = excluded.used, uses = uses + 1',
        )
        .run(name, options.id, now, now);
      let held = true;
      return {
        path,
        release: () => {
          if (!held) return;
          held = false;
          this.#users.set(name, (this.#users.get(name) ?? 1) - 1);
          unlock?.();
        },
      };
    } catch (error) {
      unlock?.();
      throw error;
    }
  }

  list(): CacheMountInfo[] {
    return this.#database
      .prepare('SELECT * FROM cache_mounts')
      .all()
      .map((row) => ({
        id: String(row.id),
        directory: join(this.#directory, String(row.directory)),
        createdAt: Number(row.created),
        lastUsedAt: Number(row.used),
        usageCount: Number(row.uses),
        inUse: (this.#users.get(String(row.directory)) ?? 0) > 0,
      }));
  }

  /** Drops a cache mount and its files, unless a step uses it; answers whether it went. */
  remove(info: CacheMountInfo): boolean {
    const name = info.directory.slice(this.#directory.length + 1);
    if ((this.#users.get(name) ?? 0) > 0) return false;
    this.#database.prepare('DELETE FROM cache_mounts WHERE directory = ?').run(name);
    rmSync(info.directory, { recursive: true, force: true });
    return true;
  }

  /** The directory's name comes from a digest of the id, so that an id such as `../x` names nothing else. */
  #choose(options: CacheMountOptions): string {
    const base = createHash('sha256').update(options.id).digest('hex').slice(0, 32);
    for (let copy = 0; ; copy++) {
      const name = copy === 0 ? base : `${base}-${copy}`;
      if (options.sharing === 'private' && (this.#users.get(name) ?? 0) > 0) continue;
      const path = join(this.#directory, name);
      if (!existsSync(path)) create(path, options);
      return name;
    }
  }

  async #lock(id: string, signal: AbortSignal): Promise<() => void> {
    for (let held = this.#locks.get(id); held; held = this.#locks.get(id)) {
      await held;
      signal.throwIfAborted();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#locks.set(id, promise);
    return () => {
      this.#locks.delete(id);
      resolve();
    };
  }
}

function create(path: string, options: CacheMountOptions): void {
  if (options.seed !== undefined) {
    cpSync(options.seed, path, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    copyOwners(options.seed, path);
    return;
  }
  mkdirSync(path);
  chmodSync(path, options.mode);
  chownSync(path, options.uid, options.gid);
}

/** Copying keeps modes but makes everything root's. */
function copyOwners(from: string, to: string): void {
  const { uid, gid, mode } = lstatSync(from);
  lchownSync(to, uid, gid);
  // A change of owner drops the set-user-id bit.
  if ((mode & 0o170000) !== 0o120000) chmodSync(to, mode & 0o7777);
  if ((mode & 0o170000) !== 0o040000) return;
  for (const name of readdirSync(from)) copyOwners(join(from, name), join(to, name));
}
