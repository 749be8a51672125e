import { isErrorCode, notFound } from '../base/errors.ts';
import type { ContentStore } from '../content/content-store.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { badDocument } from '../oci/json.ts';
import { type Index, type Manifest, parseManifest } from '../oci/manifest.ts';
import { isConfigType, isIndexType } from '../oci/media-types.ts';
import { choosePlatform, formatPlatform, hostPlatform, type Platform } from '../oci/platform.ts';
import { formatReference, type Reference, withDefaultTag, withDigest } from '../oci/reference.ts';
import { fetchBlob } from '../registry/fetcher.ts';
import type { RegistryClient } from '../registry/registry-client.ts';
import { fetchManifest, resolveReference } from '../registry/resolver.ts';
import type { Stack } from '../snapshot/snapshots.ts';
import { type ImageContent, imagesOfIndex, readImage } from './image-content.ts';
import type { ImageStore } from './image-store.ts';
import type { OnTransfer } from './transfer-progress.ts';
import type { BlobSource, Unpacker } from './unpack.ts';

export interface FetchOptions {
  /** This machine's when absent. */
  readonly platform?: Platform | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An image of a registry of which everything but the layers is in the content store, held there until disposed. */
export interface RemoteImage extends ImageContent, Disposable {
  readonly reference: Reference;
  /** What the reference stands for: the manifest itself, or the index that it was chosen from. */
  readonly target: Descriptor;
}

const deepestIndex = 4;

/**
 * Resolves a reference and fetches its manifest and config, no layer: enough to build on an image that may never be needed as
 * files.
 */
export async function fetchImageMetadata(
  client: RegistryClient,
  content: ContentStore,
  reference: Reference,
  options: FetchOptions = {},
): Promise<RemoteImage> {
  const named = withDefaultTag(reference);
  const { signal } = options;
  const platform = options.platform ?? hostPlatform();
  const target = await resolveReference(client, named, { signal });
  using holds = new DisposableStack();
  const fetch = (descriptor: Descriptor) => {
    holds.use(content.hold([descriptor.digest]));
    return fetchDocument(client, content, named, descriptor, signal);
  };
  let descriptor = target;
  let document = await fetch(descriptor);
  for (let depth = 1; document.kind === 'index'; depth++) {
    if (depth > deepestIndex)
      throw badDocument(`"${formatReference(named)}"`, `its indexes nest deeper than ${deepestIndex} levels`);
    descriptor = chooseManifest(named, document, platform);
    document = await fetch(descriptor);
  }
  holds.use(content.hold([document.config.digest]));
  await fetchConfig(client, content, named, document, signal);
  const image = readImage(content, descriptor);
  const held = holds.move();
  return { ...image, reference: named, target, [Symbol.dispose]: () => held.dispose() };
}

async function fetchDocument(
  client: RegistryClient,
  content: ContentStore,
  reference: Reference,
  { digest, mediaType }: Descriptor,
  signal: AbortSignal | undefined,
): Promise<Manifest | Index> {
  if (content.stat(digest)) return parseManifest(content.readSmall(digest), mediaType);
  const { bytes } = await fetchManifest(client, reference, { digest, signal });
  const document = parseManifest(bytes, mediaType);
  content.writeSmall(bytes);
  return document;
}

async function fetchConfig(
  client: RegistryClient,
  content: ContentStore,
  reference: Reference,
  { config }: Manifest,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!isConfigType(config.mediaType)) {
    throw badDocument(
      `"${formatReference(reference)}"`,
      `it is not an image but an artifact of type "${config.mediaType}"`,
    );
  }
  if (content.stat(config.digest)) return;
  await content.write(fetchBlob(client, reference, config, { signal }), {
    expected: config,
    ...(signal ? { signal } : {}),
  });
}

function chooseManifest(reference: Reference, index: Index, platform: Platform): Descriptor {
  const candidates = imagesOfIndex(index);
  const chosen = choosePlatform(platform, candidates, (each) => each.platform);
  if (chosen) return chosen;
  const [only, ...others] = candidates;
  // An index entry without a platform says nothing against it: its config will tell.
  if (only && others.length === 0 && (only.platform === undefined || isIndexType(only.mediaType))) return only;
  const there = candidates.flatMap((each) => (each.platform ? [formatPlatform(each.platform)] : [])).join(', ');
  throw notFound(
    `no match for platform ${formatPlatform(platform)} in "${formatReference(reference)}": it is made for ${there || 'no platform'}`,
    {
      hint: there ? 'choose one of them with --platform' : undefined,
    },
  );
}

/** Layers of a repository of a registry, with a second try at the registry itself after a mirror served wrong bytes. */
export function registryBlobs(client: RegistryClient, content: ContentStore, reference: Reference): BlobSource {
  return async function* (descriptor, signal) {
    if (client.hosts.endpointsFor(reference.domain).length === 1) {
      yield* fetchBlob(client, reference, descriptor, { signal });
      return;
    }
    // What a mirror sends is proven in the store before anybody sees it.
    try {
      await content.write(fetchBlob(client, reference, descriptor, { signal }), { expected: descriptor, signal });
      yield* content.read(descriptor.digest, { signal });
    } catch (error) {
      if (!isErrorCode(error, 'data-loss')) throw error;
      yield* fetchBlob(client, reference, descriptor, { signal, originOnly: true });
    }
  };
}

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
  readonly image: RemoteImage;
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
  using image = await fetchImageMetadata(client, content, reference, { platform, signal });
  const before = unpacker.findUnpacked(image);
  const source = registryBlobs(client, content, image.reference);
  using unpacked = await unpacker.ensureUnpacked(image, { source, onProgress, signal });
  const { digest } = image.target;
  const known = images.get(digest) !== undefined && before !== undefined;
  const { moved } = images.put(image.target, [image.reference, withDigest(image.reference, digest)]);
  return { image, stack: unpacked.stack, isNew: !known || moved.size > 0 };
}
