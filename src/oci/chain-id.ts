import { type Digest, digestOf } from '../base/digest.ts';

/** The identity of a stack of diffIDs, bottom first; undefined for no layer (image-spec config.md#layer-chainid). */
export function chainIdOf(diffIds: readonly Digest[]): Digest | undefined {
  return diffIds.reduce<Digest | undefined>(nextChainId, undefined);
}

/** The chainID after one more layer on top. */
export function nextChainId(parent: Digest | undefined, diffId: Digest): Digest {
  return parent === undefined ? diffId : digestOf(`${parent} ${diffId}`);
}

/** The chainIDs of every prefix: the first is the first diffID, the last the whole stack's. */
export function chainIdsOf(diffIds: readonly Digest[]): readonly Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) chain.push(nextChainId(chain.at(-1), diffId));
  return chain;
}
