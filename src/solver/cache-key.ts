import { createHash } from 'node:crypto';
import { type Digest, digestOfHash } from '../base/digest.ts';
import type { CacheMap } from './op.ts';

/** How a vertex is found in the cache. */
export interface Keying<T> {
  readonly map: CacheMap<T>;
  /** From digests alone. */
  readonly definitionKey: Digest;
  /** The key that results are stored under, and that users of this vertex build on: with content where an op asks for it. */
  readonly key: Digest;
  /** The keys of the inputs as they entered `key`, for `--explain`. */
  readonly inputKeys: readonly string[];
  /** Which inputs entered by their content. */
  readonly contentInputs: readonly number[];
  /** Made again by the user's wish, or from something that is: an old record under the key does not count. */
  readonly fresh: boolean;
}

/** One line per input: selector and key, framed so that no two lists give the same bytes. */
export function cacheKey(
  opDigest: Digest,
  inputs: readonly { readonly selector?: string | undefined; readonly key: string }[],
): Digest {
  const hash = createHash('sha256').update(opDigest);
  for (const input of inputs) hash.update(JSON.stringify([input.selector ?? '', input.key]));
  return digestOfHash(hash);
}
