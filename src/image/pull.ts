import type { ContentStore } from '../content/content-store.ts';
import { type Reference, withDefaultTag, withDigest } from '../oci/reference.ts';
import type { RegistryClient } from '../registry/registry-client.ts';
import type { Stack } from '../snapshot/snapshots.ts';
import { type FetchedImage, type FetchOptions, fetchImageMetadata } from './fetch-metadata.ts';
import { registryImage } from './image-origin.ts';
import type { ImageStore } from './image-store.ts';
import type { OnTransfer } from './transfer-progress.ts';
import type { Unpacker } from './unpack.ts';

export interface PullServices {
  readonly client: RegistryClient;
  readonly content: ContentStore;
  readonly images: ImageStore;
  readonly unpacker: Unpacker;
}

export interface PullOptions extends FetchOptions {
  readonly onProgress?: OnTransfer | undefined;
}

export interface PulledImage {
  readonly reference: Reference;
  readonly image: Omit<FetchedImage, typeof Symbol.dispose>;
  readonly stack: Stack;
  /** False when the name stood for this image already and its layers were here. */
  readonly isNew: boolean;
}

/** Resolves, fetches, unpacks and names an image: `docker pull`. */
export async function pullImage(
  services: PullServices,
  reference: Reference,
  options: PullOptions = {},
): Promise<PulledImage> {
  const { client, content, images, unpacker } = services;
  const { platform, signal, onProgress } = options;
  const named = withDefaultTag(reference);
  using image = await fetchImageMetadata(content, registryImage(client, content, named), { platform, signal });
  const before = unpacker.findUnpacked(image);
  using unpacked = await unpacker.ensureUnpacked(image, { origin: image.origin, onProgress, signal });
  const { digest } = image.target;
  const known = images.get(digest) !== undefined && before !== undefined;
  const { moved } = images.put(image.target, [named, withDigest(named, digest)]);
  return { reference: named, image, stack: unpacked.stack, isNew: !known || moved.size > 0 };
}
