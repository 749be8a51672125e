import type { NamedSteps } from '../../attestation/build-steps.ts';
import { isDigest } from '../../base/digest.ts';
import { verticesOf } from '../../graph/definition.ts';
import type { Edge } from '../../graph/vertex.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { parseImageManifest } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import type { Stack } from '../../snapshot/snapshots.ts';
import type { Build } from './build.ts';

/** Which layers each step's outputs stand on, as `step1:0`; of those alone whose layers are blobs by now. */
export function stepLayers(
  build: Build,
  edge: Edge,
  steps: NamedSteps,
): Record<string, readonly (readonly Descriptor[])[]> {
  const { cache, content } = build.engine;
  const layers: Record<string, readonly (readonly Descriptor[])[]> = {};
  const keyings = new Map(build.traces().map(({ vertex, keying }) => [vertex.digest, keying]));
  for (const { digest } of verticesOf(edge.vertex)) {
    const name = steps.nameOf(digest);
    const keying = keyings.get(digest);
    if (name === undefined || !keying) continue;
    const { manifest } = keying.facts;
    if (manifest !== undefined && isDigest(manifest) && content.stat(manifest)) {
      const bare = parseImageManifest(content.readSmall(manifest)).layers.map(bareDescriptor);
      if (bare.length > 0) layers[`${name}:0`] = [bare];
      continue;
    }
    for (const [index, stack] of (cache.outputsOf(keying.key) ?? []).entries()) {
      const blobs = stack.length > 0 ? blobsOf(build, stack) : undefined;
      if (blobs) layers[`${name}:${index}`] = [blobs];
    }
  }
  return layers;
}

function blobsOf({ engine }: Build, stack: Stack): readonly Descriptor[] | undefined {
  const blobs = stack.flatMap((layer): Descriptor[] => {
    const { diffId } = engine.snapshots.info(layer);
    const blob = diffId && engine.layerBlobs.compressedBlob(diffId);
    return blob ? [blob] : [];
  });
  return blobs.length === stack.length ? blobs : undefined;
}

function bareDescriptor({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType: mediaType || mediaTypes.ociLayer, digest, size };
}
