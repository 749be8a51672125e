/** Deeper than this, a layer copies what lies below it: neither long chains nor many copies cost much. */
const depthLimit = 32;

/** A map on top of others that no longer change. */
export class LayeredMap {
  readonly #own = new Map<string, string>();
  readonly #below: LayeredMap | undefined;
  readonly #depth: number;

  constructor(below?: LayeredMap) {
    const isDeep = below !== undefined && below.#depth >= depthLimit;
    this.#below = isDeep ? undefined : below;
    this.#depth = isDeep || below === undefined ? 0 : below.#depth + 1;
    if (isDeep) for (const [key, value] of below.entries()) this.#own.set(key, value);
  }

  get(key: string): string | undefined {
    return this.#own.get(key) ?? this.#below?.get(key);
  }

  has(key: string): boolean {
    return this.#own.has(key) || this.#below?.has(key) === true;
  }

  set(key: string, value: string): void {
    this.#own.set(key, value);
  }

  *keys(): Iterable<string> {
    yield* this.#own.keys();
    for (const key of this.#below?.keys() ?? []) if (!this.#own.has(key)) yield key;
  }

  /** From below upwards, so that a later one replaces an earlier one of the same key. */
  *entries(): Iterable<[string, string]> {
    if (this.#below) yield* this.#below.entries();
    yield* this.#own;
  }
}
