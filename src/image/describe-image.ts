import type { Digest } from '../base/digest.ts';
import { chainIdsOf } from '../oci/chain-id.ts';
import type { HistoryEntry } from '../oci/image-config.ts';
import { diffIdsOf } from '../oci/parse-image-config.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import type { ImageContent } from './image-content.ts';

/** One step of an image's past, the latest first, as `docker history` lists it. */
export interface HistoryStep extends HistoryEntry {
  /** Bytes of the step's layer; 0 where it made none. */
  readonly size: number;
  /** The step's layer, where it made one. */
  readonly diffId?: Digest;
}

/** Bytes of each layer, bottom first: of its files where it is unpacked, else of its blob. */
export function layerSizes(snapshots: Snapshots, { manifest, config }: ImageContent): readonly number[] {
  const stack = unpackedPart(snapshots, diffIdsOf(config));
  return manifest.layers.map((layer, index) => {
    const unpacked = stack[index];
    return unpacked !== undefined && snapshots.has(unpacked) ? snapshots.info(unpacked).size : layer.size;
  });
}

export function imageSize(snapshots: Snapshots, image: ImageContent): number {
  return layerSizes(snapshots, image).reduce((sum, size) => sum + size, 0);
}

function unpackedPart(snapshots: Snapshots, diffIds: readonly Digest[]) {
  for (const chain of chainIdsOf(diffIds).toReversed()) {
    const stack = snapshots.findChain(chain);
    if (stack) return stack;
  }
  return [];
}

/**
 * An image's history with its layers. A history that does not fit the layers (it is only what somebody wrote into the
 * config) is completed: layers that no entry speaks of get entries without words.
 */
export function imageHistory(snapshots: Snapshots, image: ImageContent): readonly HistoryStep[] {
  const sizes = layerSizes(snapshots, image);
  const diffIds = diffIdsOf(image.config);
  let layer = 0;
  const withLayer = (entry: HistoryEntry): HistoryStep => {
    const diffId = diffIds[layer];
    const size = sizes[layer++] ?? 0;
    return { ...entry, size, ...(diffId ? { diffId } : {}) };
  };
  const steps = (image.config.history ?? []).map((entry) =>
    entry.empty_layer ? { ...entry, size: 0 } : withLayer(entry),
  );
  while (layer < sizes.length) steps.push(withLayer({}));
  return steps.reverse();
}
