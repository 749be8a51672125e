import type { Digest } from '../base/digest.ts';
import { chainIdsOf } from '../oci/chain-id.ts';
import { diffIdsOf } from '../oci/parse-image-config.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import { layerSizes } from './describe-image.ts';
import type { ImageContent } from './image-content.ts';

/** What images take together, and what each of them has in common with others. Bytes. */
export interface LayerUsage {
  /** Every layer once, whatever the number of images that stand on it. */
  readonly total: number;
  /** Of each image, in the order given: its layers that another image stands on too. */
  readonly shared: readonly number[];
}

/** Each image with the contents of all its platforms that are here. */
export function layerUsage(snapshots: Snapshots, images: readonly (readonly ImageContent[])[]): LayerUsage {
  const layers = new Map<Digest, { size: number; users: number }>();
  const chains = images.map((platforms) => {
    const own = new Map<Digest, number>();
    for (const image of platforms) {
      const sizes = layerSizes(snapshots, image);
      for (const [index, chain] of chainIdsOf(diffIdsOf(image.config)).entries()) own.set(chain, sizes[index] ?? 0);
    }
    return [...own].map(([chain, size]) => {
      const layer = layers.get(chain) ?? { size, users: 0 };
      layer.users++;
      layers.set(chain, layer);
      return layer;
    });
  });
  const sum = (parts: Iterable<{ size: number }>) => [...parts].reduce((total, { size }) => total + size, 0);
  return {
    total: sum(layers.values()),
    shared: chains.map((chain) => sum(chain.filter(({ users }) => users > 1))),
  };
}
