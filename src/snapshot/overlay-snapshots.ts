import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Digest } from '../base/digest.ts';
import { notFound, SlipwayError } from '../base/errors.ts';
import type { Mount } from '../kernel/mount.ts';
import { PendingSync } from './pending-sync.ts';
import type { ActiveId, LayerId, LayerInfo, Snapshots, Stack } from './snapshots.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS layers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, diff_id TEXT, tar_size INTEGER, size INTEGER, created INTEGER NOT NULL,
    used INTEGER NOT NULL, uses INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS active_layers (id INTEGER PRIMARY KEY, stack TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS chains (chain_id TEXT PRIMARY KEY, stack TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** OVL_MAX_STACK of the kernel, less one for an empty directory of ours. */
const mostLowers = 499;

/** Behaviour that must not depend on how the kernel was configured; whiteouts and copies must be plain. */
const commonOptions = ['index=off', 'redirect_dir=off', 'metacopy=off', 'xino=off'];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Active {
  readonly stack: Stack;
  readonly persistent: boolean;
  readonly held: Disposable;
}

/**
 * Layers as directories that overlayfs stacks:
 *
 *     <id>/fs       the layer's own files, whiteouts as overlayfs has them
 *     <id>/work     overlayfs's own, only while the layer is active
 *     empty         the empty directory, at the bottom of single-layer views
 *
 * The table of layers says which directories are committed; whatever else is found at the start is dropped. The table
 * is kept in memory too, since every lookup of the cache asks it.
 */
export class OverlaySnapshots implements Snapshots {
  readonly #directory: string;
  readonly #database: DatabaseSync;
  readonly #layers = new Map<LayerId, Mutable<Omit<LayerInfo, 'size'>> & { size: number | undefined }>();
  readonly #active = new Map<ActiveId, Active>();
  readonly #holds = new Map<LayerId, number>();
  readonly #touched = new Set<LayerId>();
  readonly #pending: PendingSync;
  #next: number;

  constructor(directory: string, database: DatabaseSync) {
    this.#directory = directory;
    this.#database = database;
    database.exec(schema);
    mkdirSync(join(directory, 'empty'), { recursive: true, mode: 0o755 });
    const sequence = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'layers'").get();
    this.#next = Number(sequence?.seq ?? 0) + 1;
    this.#pending = new PendingSync(directory, database);
    this.#load();
    this.#dropUnknown();
  }

  prepare(stack: Stack, options: { readonly persistent?: boolean } = {}): ActiveId {
    const persistent = options.persistent === true;
    for (const layer of stack) this.#require(layer);
    const number = this.#next++;
    const id = `${number}` as ActiveId;
    mkdirSync(join(this.#directory, id), { mode: 0o700 });
    // overlayfs shows the upper directory's own mode and owner at its root.
    mkdirSync(join(this.#directory, id, 'fs'), { mode: 0o755 });
    mkdirSync(join(this.#directory, id, 'work'), { mode: 0o700 });
    if (persistent) {
      this.#database.prepare('INSERT INTO active_layers VALUES (?, ?)').run(number, JSON.stringify(stack));
    }
    this.#active.set(id, { stack, persistent, held: this.hold(stack) });
    return id;
  }

  activeStack(id: ActiveId): Stack {
    return this.#requireActive(id).stack;
  }

  activeMounts(id: ActiveId): readonly Mount[] {
    const { stack, persistent } = this.#requireActive(id);
    const layers = [`upperdir=${this.activeDirectory(id)}`, `workdir=${join(this.#directory, id, 'work')}`];
    // What a container syncs is meant to last. Elsewhere `volatile` leaves out syncs that only a crash of the machine would show,
    // which PendingSync takes care of; its mark would refuse a second mount.
    if (!persistent) {
      rmSync(join(this.#directory, id, 'work/work/incompat'), { recursive: true, force: true });
      layers.push('volatile');
    }
    return [this.#overlay(stack, layers)];
  }

  activeViewMounts(id: ActiveId): readonly Mount[] {
    return [this.#overlayOf([...this.#directoriesOf(this.#requireActive(id).stack), this.activeDirectory(id)], ['ro'])];
  }

  viewMounts(stack: Stack): readonly Mount[] {
    if (stack.length === 0) return [{ type: 'bind', source: this.#empty, options: ['bind', 'ro'] }];
    return [this.#overlay(stack, ['ro'])];
  }

  activeDirectory(id: ActiveId): string {
    this.#requireActive(id);
    return join(this.#directory, id, 'fs');
  }

  layerDirectory(id: LayerId): string {
    this.#require(id);
    return join(this.#directory, id, 'fs');
  }

  commit(id: ActiveId, options: { readonly diffId?: Digest; readonly tarSize?: number } = {}): LayerId {
    const active = this.#requireActive(id);
    rmSync(join(this.#directory, id, 'work'), { recursive: true, force: true });
    const now = Date.now();
    const { diffId, tarSize } = options;
    this.#transact(() => {
      this.#database
        .prepare('INSERT INTO layers VALUES (?, ?, ?, NULL, ?, ?, 1)')
        .run(Number(id), diffId ?? null, tarSize ?? null, now, now);
      if (active.persistent) this.#database.prepare('DELETE FROM active_layers WHERE id = ?').run(Number(id));
      this.#pending.add(Number(id));
    });
    const layer = id as string as LayerId;
    this.#layers.set(layer, {
      id: layer,
      diffId,
      tarSize,
      size: undefined,
      createdAt: now,
      lastUsedAt: now,
      usageCount: 1,
    });
    this.#active.delete(id);
    active.held[Symbol.dispose]();
    return layer;
  }

  discard(id: ActiveId): void {
    const active = this.#active.get(id);
    if (!active) return;
    this.#active.delete(id);
    active.held[Symbol.dispose]();
    if (active.persistent) this.#database.prepare('DELETE FROM active_layers WHERE id = ?').run(Number(id));
    rmSync(join(this.#directory, id), { recursive: true, force: true });
  }

  info(id: LayerId): LayerInfo {
    const layer = this.#require(id);
    if (layer.size === undefined) {
      layer.size = sizeOf(join(this.#directory, id, 'fs'));
      this.#database.prepare('UPDATE layers SET size = ? WHERE id = ?').run(layer.size, Number(id));
    }
    return { ...layer, size: layer.size };
  }

  has(id: LayerId): boolean {
    return this.#layers.has(id);
  }

  list(): readonly LayerInfo[] {
    return [...this.#layers.keys()].map((id) => this.info(id));
  }

  setDiffId(id: LayerId, diffId: Digest, tarSize: number): void {
    const layer = this.#require(id);
    layer.diffId = diffId;
    layer.tarSize = tarSize;
    this.#database.prepare('UPDATE layers SET diff_id = ?, tar_size = ? WHERE id = ?').run(diffId, tarSize, Number(id));
  }

  findChain(chainId: Digest): Stack | undefined {
    const row = this.#database.prepare('SELECT stack FROM chains WHERE chain_id = ?').get(chainId);
    const stack: LayerId[] | undefined = row && JSON.parse(String(row.stack));
    return stack?.every((layer) => this.has(layer)) ? stack : undefined;
  }

  setChain(chainId: Digest, stack: Stack): void {
    this.#database.prepare('INSERT OR REPLACE INTO chains VALUES (?, ?)').run(chainId, JSON.stringify(stack));
  }

  hold(stack: Stack): Disposable {
    for (const layer of stack) this.#holds.set(layer, (this.#holds.get(layer) ?? 0) + 1);
    let open = true;
    return {
      [Symbol.dispose]: () => {
        if (!open) return;
        open = false;
        for (const layer of stack) {
          const left = (this.#holds.get(layer) ?? 1) - 1;
          if (left > 0) this.#holds.set(layer, left);
          else this.#holds.delete(layer);
        }
      },
    };
  }

  touch(stack: Stack): void {
    const now = Date.now();
    for (const id of stack) {
      const layer = this.#layers.get(id);
      if (!layer) continue;
      layer.lastUsedAt = now;
      layer.usageCount++;
      this.#touched.add(id);
    }
  }

  async collect(keep: ReadonlySet<LayerId>): Promise<readonly LayerInfo[]> {
    const freed = [...this.#layers.keys()]
      .filter((id) => !keep.has(id) && !this.#holds.has(id))
      .map((id) => this.info(id));
    const gone = new Set(freed.map((layer) => layer.id));
    this.#transact(() => {
      const remove = this.#database.prepare('DELETE FROM layers WHERE id = ?');
      for (const id of gone) remove.run(Number(id));
      this.#forgetChains(gone);
    });
    for (const id of gone) this.#layers.delete(id);
    // The rows went first: a directory without one is dropped at the next start.
    for (const id of gone) await rm(join(this.#directory, id), { recursive: true, force: true });
    return freed;
  }

  sync(): Promise<void> {
    return this.#pending.sync();
  }

  close(): void {
    this.#pending.stop();
    this.#flushTouched();
  }

  get #empty(): string {
    return join(this.#directory, 'empty');
  }

  #directoriesOf(stack: Stack): string[] {
    return stack.map((layer) => this.layerDirectory(layer));
  }

  #overlay(stack: Stack, options: readonly string[]): Mount {
    return this.#overlayOf(this.#directoriesOf(stack), options);
  }

  /** Of layers' directories, the lowest first. */
  #overlayOf(directories: readonly string[], options: readonly string[]): Mount {
    const lowers = directories.toReversed();
    if (lowers.length > mostLowers)
      throw new SlipwayError(
        'failed-precondition',
        `cannot mount ${lowers.length} layers: overlayfs takes ${mostLowers}`,
        {
          hint: 'join steps, or copy the files into a stage of its own',
        },
      );
    // A lone lower directory is no overlay without an upper one, and as a bind mount its whiteouts would show.
    if (lowers.length === 0 || !options.some((option) => option.startsWith('upperdir='))) lowers.push(this.#empty);
    return {
      type: 'overlay',
      source: 'overlay',
      options: [`lowerdir=${lowers.join(':')}`, ...options, ...commonOptions],
    };
  }

  #load(): void {
    for (const row of this.#database.prepare('SELECT * FROM layers').all()) {
      const id = `${row.id}` as LayerId;
      if (!existsSync(join(this.#directory, id, 'fs'))) {
        this.#database.prepare('DELETE FROM layers WHERE id = ?').run(Number(id));
        continue;
      }
      this.#layers.set(id, {
        id,
        diffId: (row.diff_id ?? undefined) as Digest | undefined,
        tarSize: (row.tar_size ?? undefined) as number | undefined,
        size: (row.size ?? undefined) as number | undefined,
        createdAt: Number(row.created),
        lastUsedAt: Number(row.used),
        usageCount: Number(row.uses),
      });
    }
    for (const row of this.#database.prepare('SELECT * FROM active_layers').all()) {
      const stack: LayerId[] = JSON.parse(String(row.stack));
      this.#active.set(`${row.id}` as ActiveId, { stack, persistent: true, held: this.hold(stack) });
      this.#next = Math.max(this.#next, Number(row.id) + 1);
    }
  }

  #dropUnknown(): void {
    for (const name of readdirSync(this.#directory)) {
      if (name === 'empty' || this.#layers.has(name as LayerId) || this.#active.has(name as ActiveId)) continue;
      rmSync(join(this.#directory, name), { recursive: true, force: true });
    }
  }

  #forgetChains(gone: ReadonlySet<LayerId>): void {
    const remove = this.#database.prepare('DELETE FROM chains WHERE chain_id = ?');
    for (const row of this.#database.prepare('SELECT chain_id, stack FROM chains').all()) {
      const stack: LayerId[] = JSON.parse(String(row.stack));
      if (stack.some((layer) => gone.has(layer))) remove.run(String(row.chain_id));
    }
  }

  #flushTouched(): void {
    const update = this.#database.prepare('UPDATE layers SET used = ?, uses = ? WHERE id = ?');
    this.#transact(() => {
      for (const id of this.#touched) {
        const layer = this.#layers.get(id);
        if (layer) update.run(layer.lastUsedAt, layer.usageCount, Number(id));
      }
    });
    this.#touched.clear();
  }

  #transact(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #require(id: LayerId) {
    const layer = this.#layers.get(id);
    if (!layer) throw notFound(`cannot find layer "${id}"`);
    return layer;
  }

  #requireActive(id: ActiveId): Active {
    const active = this.#active.get(id);
    if (!active) throw notFound(`cannot find active layer "${id}"`);
    return active;
  }
}

/** Bytes of the files below a directory, hard links counted once. Names are bytes: not all of them are UTF-8. */
function sizeOf(directory: string): number {
  let size = 0;
  const seen = new Set<number>();
  const pending = [Buffer.from(directory)];
  for (let next = pending.pop(); next; next = pending.pop()) {
    for (const entry of readdirSync(next, { withFileTypes: true, encoding: 'buffer' })) {
      const path = Buffer.concat([next, Buffer.from('/'), entry.name]);
      if (entry.isDirectory()) {
        pending.push(path);
        continue;
      }
      const stat = lstatSync(path);
      if (!seen.has(stat.ino)) size += stat.size;
      if (stat.nlink > 1) seen.add(stat.ino);
    }
  }
  return size;
}
