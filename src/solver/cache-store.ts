import type { Digest } from '../base/digest.ts';
import type { Handle } from './op.ts';

/** What is kept beside a result, for `du`, `--explain` and the history. */
export interface CacheRecordInfo {
  readonly vertex: Digest;
  readonly description: string;
  /** The op's own digest and, in order, the keys of its inputs: what `--explain` compares. */
  readonly opDigest: Digest;
  readonly inputKeys: readonly string[];
}

/**
 * Remembers results by cache key, across restarts. Synchronous, so that looking up and deciding to run are one step.
 * `find` answers undefined when any part of the result is gone; it never answers half a result.
 */
export interface CacheStore<T> {
  find(key: Digest): readonly Handle<T>[] | undefined;
  /** Whether `find` is likely to answer; holds nothing and marks no use. */
  has(key: Digest): boolean;
  /** Replaces what was kept under the key. */
  save(key: Digest, outputs: readonly T[], info: CacheRecordInfo): void;
  /** The canonical key that a definition key came to in an earlier build. */
  findLink(definitionKey: Digest): Digest | undefined;
  saveLink(definitionKey: Digest, key: Digest): void;
}

/** Keeps nothing between builds; for tests and for builders without a disk. */
export class MemoryCacheStore<T> implements CacheStore<T> {
  readonly #records = new Map<Digest, readonly T[]>();
  readonly #links = new Map<Digest, Digest>();
  readonly #hold: (value: T) => Handle<T>;

  constructor(hold: (value: T) => Handle<T>) {
    this.#hold = hold;
  }

  find(key: Digest): readonly Handle<T>[] | undefined {
    return this.#records.get(key)?.map(this.#hold);
  }

  has(key: Digest): boolean {
    return this.#records.has(key);
  }

  save(key: Digest, outputs: readonly T[]): void {
    this.#records.set(key, outputs);
  }

  findLink(definitionKey: Digest): Digest | undefined {
    return this.#links.get(definitionKey);
  }

  saveLink(definitionKey: Digest, key: Digest): void {
    this.#links.set(definitionKey, key);
  }
}
