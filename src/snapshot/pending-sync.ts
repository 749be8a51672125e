import { readFileSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { syncFileSystem } from '../kernel/sync-file-system.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS unsynced_layers (id INTEGER PRIMARY KEY, boot TEXT NOT NULL) STRICT;
`;

/** How long the pages of a committed layer may wait for company. Milliseconds. */
const delay = 3000;

/**
 * Layers whose files may still be in memory only. Syncing each at its commit would make every step wait for the disk. Instead
 * the table names them with the boot of the machine they were written under: while that boot lasts the kernel has the files,
 * and in a later one nobody can tell whether they are whole, so they are taken out of the table of layers.
 */
export class PendingSync {
  readonly #directory: string;
  readonly #database: DatabaseSync;
  readonly #boot: string;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(directory: string, database: DatabaseSync, boot = bootId()) {
    this.#directory = directory;
    this.#database = database;
    this.#boot = boot;
    database.exec(schema);
    database.prepare('DELETE FROM layers WHERE id IN (SELECT id FROM unsynced_layers WHERE boot <> ?)').run(boot);
    database.prepare('DELETE FROM unsynced_layers WHERE boot <> ?').run(boot);
  }

  /** Call within the transaction that commits the layer. */
  add(layer: number): void {
    this.#database.prepare('INSERT INTO unsynced_layers VALUES (?, ?)').run(layer, this.#boot);
    this.#timer ??= setTimeout(() => this.#syncQuietly(), delay).unref();
  }

  async sync(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#database.prepare('SELECT id FROM unsynced_layers').all();
    if (waiting.length === 0) return;
    await syncFileSystem(this.#directory);
    if (this.#stopped) return;
    const synced = JSON.stringify(waiting.map(({ id }) => id));
    this.#database.prepare('DELETE FROM unsynced_layers WHERE id IN (SELECT value FROM json_each(?))').run(synced);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #syncQuietly(): Promise<void> {
    try {
      await this.sync();
    } catch {
      // The disk's errors show at the next explicit sync; until then the layers stay in the table.
    }
  }
}

/** Changes whenever the machine starts (proc(5)). */
function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
