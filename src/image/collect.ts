import { type Digest, isDigest } from '../base/digest.ts';
import { SlipwayError } from '../base/errors.ts';
import type { ContentStore } from '../content/content-store.ts';
import { chainIdsOf } from '../oci/chain-id.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { isConfigType } from '../oci/media-types.ts';
import { diffIdsOf } from '../oci/parse-image-config.ts';
import type { LayerId, Snapshots } from '../snapshot/snapshots.ts';
import { readDocument, readImage } from './image-content.ts';
import type { ImageStore } from './image-store.ts';
import type { LayerBlobs } from './materialize-layers.ts';

/** What collection must keep. */
export interface Roots {
  readonly blobs: Set<Digest>;
  readonly layers: Set<LayerId>;
}

interface MarkServices {
  readonly content: ContentStore;
  readonly snapshots: Snapshots;
  readonly images: ImageStore;
  readonly layerBlobs: LayerBlobs;
}

/** Adds to the roots everything that the stored images need: documents, configs, layers as blobs and as snapshots. */
export function markImages(services: MarkServices, roots: Roots): void {
  for (const target of services.images.targets()) markTarget(services, target, roots);
}

/** The same for one manifest or index that is not stored as an image but in use, such as a cache record's. */
export function markTarget(services: MarkServices, target: Descriptor, roots: Roots): void {
  if (roots.blobs.has(target.digest)) return;
  roots.blobs.add(target.digest);
  try {
    markReferenced(services, target, roots);
  } catch (error) {
    // What is damaged or missing holds nothing; the rest of the images must still be marked.
    if (!(error instanceof SlipwayError)) throw error;
  }
}

function markReferenced(services: MarkServices, target: Descriptor, roots: Roots): void {
  const document = readDocument(services.content, target);
  if (document.kind === 'index') {
    for (const entry of document.manifests) markTarget(services, entry, roots);
    return;
  }
  for (const { digest } of [document.config, ...document.layers]) roots.blobs.add(digest);
  if (isConfigType(document.config.mediaType)) markLayers(services, target, roots);
}

function markLayers({ content, snapshots, layerBlobs }: MarkServices, target: Descriptor, roots: Roots): void {
  const diffIds = diffIdsOf(readImage(content, target).config).filter(isDigest);
  for (const diffId of diffIds) for (const blob of layerBlobs.blobsOf(diffId)) roots.blobs.add(blob);
  const chain = chainIdsOf(diffIds);
  // The longest prefix that is unpacked has the layers of all shorter ones.
  for (const id of chain.toReversed()) {
    const stack = snapshots.findChain(id);
    if (!stack) continue;
    for (const layer of stack) roots.layers.add(layer);
    return;
  }
}
