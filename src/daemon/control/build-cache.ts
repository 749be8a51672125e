import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../base/digest.ts';
import type { LayerId } from '../../snapshot/snapshots.ts';
import type { CacheMountInfo } from '../../worker/cache-mounts.ts';
import type { CacheRecord } from '../../worker/sqlite-cache-store.ts';
import type { Collector } from '../collector.ts';
import type { Engine } from '../engine.ts';

/** One thing that the build cache keeps, as `du` lists it. */
export interface CacheItem {
  readonly id: string;
  readonly type: 'regular' | 'exec.cachemount';
  readonly description: string;
  /** Bytes of its own layer. */
  readonly size: number;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly usageCount: number;
  readonly inUse: boolean;
  readonly mutable: boolean;
  /** An image uses its layers too: they stay when the record goes. */
  readonly shared: boolean;
}

export interface PruneOptions {
  /** Also what images share. */
  readonly all: boolean;
  /** Spares what was used since. */
  readonly olderThanMs: number;
  /** Stops when no more than this is left. */
  readonly keepBytes: number;
  /** `id=…`, `type=…`, `inuse=…`. */
  readonly filters: readonly string[];
}

/** Results of steps and cache mounts: what `du` shows and `prune` removes. */
export class BuildCache {
  readonly #engine: Engine;
  readonly #collector: Collector;

  constructor(engine: Engine, collector: Collector) {
    this.#engine = engine;
    this.#collector = collector;
  }

  /** The directory whose disk it fills. */
  get root(): string {
    return this.#engine.root;
  }

  list(): CacheItem[] {
    const ofImages = this.#collector.layersOfImages();
    const records = this.#engine.cache.list().map((record) => this.#recordItem(record, ofImages));
    return [...records, ...this.#engine.cacheMounts.list().map(mountItem)];
  }

  async prune(options: PruneOptions): Promise<CacheItem[]> {
    const oldest = Date.now() - options.olderThanMs;
    const wanted = options.filters.map((filter) => filter.split(/==?/, 2));
    const matches = (item: CacheItem) =>
      wanted.every(([key, value]) => key === 'until' || `${item[fields[key ?? ''] ?? 'id']}` === value);
    const items = this.list().toSorted((a, b) => a.lastUsedAt - b.lastUsedAt);
    let total = items.reduce((sum, item) => sum + item.size, 0);
    const removed: CacheItem[] = [];
    for (const item of items) {
      if (
        item.inUse ||
        (options.olderThanMs > 0 && item.lastUsedAt > oldest) ||
        (item.shared && !options.all) ||
        !matches(item)
      )
        continue;
      if (options.keepBytes > 0 && total <= options.keepBytes) break;
      if (item.type === 'exec.cachemount' && !this.#removeMount(item.id)) continue;
      if (item.type === 'regular') this.#engine.cache.remove([item.id as Digest]);
      total -= item.size;
      removed.push(item);
    }
    await this.#collector.collect();
    return removed;
  }

  #removeMount(id: string): boolean {
    const info = this.#engine.cacheMounts.list().find((mount) => mount.directory === id);
    return info !== undefined && this.#engine.cacheMounts.remove(info);
  }

  #recordItem(record: CacheRecord, ofImages: ReadonlySet<LayerId>): CacheItem {
    const own = record.outputs.flatMap((stack) => stack.at(-1) ?? []);
    const present = own.filter((layer) => this.#engine.snapshots.has(layer));
    return {
      id: record.key,
      type: 'regular',
      description: record.description,
      size: present.reduce((sum, layer) => sum + this.#engine.snapshots.info(layer).size, 0),
      createdAt: record.createdAt,
      lastUsedAt: record.lastUsedAt,
      usageCount: record.usageCount,
      inUse: false,
      mutable: false,
      shared: present.some((layer) => ofImages.has(layer)),
    };
  }
}

const fields: Readonly<Record<string, keyof CacheItem>> = {
  id: 'id',
  type: 'type',
  inuse: 'inUse',
  mutable: 'mutable',
  shared: 'shared',
  description: 'description',
};

function mountItem({ id, directory, createdAt, lastUsedAt, usageCount, inUse }: CacheMountInfo): CacheItem {
  return {
    id: directory,
    type: 'exec.cachemount',
    description: `mount / from exec with cache id ${id}`,
    size: sizeOf(directory),
    createdAt,
    lastUsedAt,
    usageCount,
    inUse,
    mutable: true,
    shared: false,
  };
}

function sizeOf(directory: string): number {
  let size = 0;
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    size += stat?.isDirectory() ? sizeOf(path) : (stat?.size ?? 0);
  }
  return size;
}
