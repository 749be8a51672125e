import { createLimiter } from '../base/async.ts';
import type { Digest } from '../base/digest.ts';
import { notFound, SlipwayError } from '../base/errors.ts';
import type { ContentStore } from '../content/content-store.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { formatManifest, type Index } from '../oci/manifest.ts';
import { isForeignLayer } from '../oci/media-types.ts';
import { formatPlatform, type Platform } from '../oci/platform.ts';
import {
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  repositoryOf,
  withDefaultTag,
  withDigest,
} from '../oci/reference.ts';
import { pushBlob, pushManifest } from '../registry/pusher.ts';
import type { RegistryClient } from '../registry/registry-client.ts';
import { manifestFor } from './find-image.ts';
import { imagesOfIndex, readDocument, readImage } from './image-content.ts';
import type { ImageRecord, ImageStore } from './image-store.ts';
import type { CompressionChoice, LayerBlobs } from './materialize-layers.ts';
import type { OnTransfer } from './transfer-progress.ts';

export interface PushServices {
  readonly client: RegistryClient;
  readonly content: ContentStore;
  readonly images: ImageStore;
  readonly layerBlobs: LayerBlobs;
}

export interface PushOptions {
  /** Pushes this platform only; else all of an index when all of it is here, or the one image that is. */
  readonly platform?: Platform | undefined;
  /** For layers that were only built. */
  readonly compression?: CompressionChoice | undefined;
  readonly onProgress?: OnTransfer | undefined;
  readonly signal?: AbortSignal | undefined;
}

const parallelPushes = 4;

/** Pushes the image that the local store has under this very name: `docker push`. Answers what the name now stands for there. */
export async function pushImage(
  services: PushServices,
  reference: Reference,
  options: PushOptions = {},
): Promise<Descriptor> {
  const { images } = services;
  const named = withDefaultTag(reference);
  const target = images.targetOf(formatReference(named));
  const record = target && images.get(target);
  if (!record) {
    throw notFound(`An image does not exist locally with the tag: ${familiarReference(named)}`, {
      hint: `tag one first: slipway tag IMAGE ${familiarReference(named)}`,
    });
  }
  const pushed = await pushTarget(services, named, record, options);
  images.tag(record.target.digest, withDigest(named, pushed.digest));
  return pushed;
}

async function pushTarget(
  services: PushServices,
  reference: Reference,
  record: ImageRecord,
  options: PushOptions,
): Promise<Descriptor> {
  const document = readDocument(services.content, record.target);
  const single = document.kind === 'manifest' || options.platform !== undefined;
  if (single) return pushOne(services, reference, manifestFor(record, options.platform).descriptor, options);
  const wanted = imagesOfIndex(document);
  if (record.manifests.length === wanted.length && !missesBlobs(services.content, document)) {
    return pushIndex(services, reference, record.target, document, options);
  }
  if (record.manifests.length === 1) return pushOne(services, reference, record.manifest.descriptor, options);
  const here = record.manifests.map((each) => formatPlatform(each.platform)).join(', ');
  throw new SlipwayError(
    'failed-precondition',
    `cannot push "${familiarReference(reference)}": it is made for ${wanted.length} platforms, only ${here} are here`,
    { hint: 'choose one of them with --platform, or pull the others first' },
  );
}

/** Attestations travel with an index; one that is not here cannot. */
function missesBlobs(content: ContentStore, index: Index): boolean {
  return index.manifests.some((each) => !content.stat(each.digest));
}

async function pushOne(
  services: PushServices,
  reference: Reference,
  descriptor: Descriptor,
  options: PushOptions,
): Promise<Descriptor> {
  const { bytes, mediaType } = await pushContent(services, reference, descriptor, options);
  return pushManifest(services.client, reference, { mediaType, bytes }, { signal: options.signal });
}

/** Every entry by its digest first, the index under the tag last: a tag never stands for what is not there. */
async function pushIndex(
  services: PushServices,
  reference: Reference,
  target: Descriptor,
  index: Index,
  options: PushOptions,
): Promise<Descriptor> {
  const { client } = services;
  const { domain, path } = reference;
  const manifests: Descriptor[] = [];
  for (const entry of index.manifests) {
    const { bytes, mediaType } = await pushContent(services, reference, entry, options);
    const pushed = await pushManifest(client, { domain, path }, { mediaType, bytes }, { signal: options.signal });
    manifests.push({ ...entry, ...pushed });
  }
  const bytes = manifests.every((each, at) => each.digest === index.manifests[at]?.digest)
    ? services.content.readSmall(target.digest)
    : formatManifest({ ...index, manifests: renameSubjects(manifests, index.manifests) });
  return pushManifest(client, reference, { mediaType: index.mediaType, bytes }, { signal: options.signal });
}

/** An attestation names its image by digest; it follows when the image's manifest was written anew. */
function renameSubjects(now: readonly Descriptor[], before: readonly Descriptor[]): readonly Descriptor[] {
  const key = 'vnd.docker.reference.digest';
  const renamed = new Map<string, Digest>();
  for (const [at, entry] of before.entries()) renamed.set(entry.digest, now[at]?.digest ?? entry.digest);
  return now.map((entry) => {
    const subject = renamed.get(entry.annotations?.[key] ?? '');
    return subject ? { ...entry, annotations: { ...entry.annotations, [key]: subject } } : entry;
  });
}

interface ManifestBytes {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** Pushes config and layers; answers the manifest that fits them. */
async function pushContent(
  services: PushServices,
  reference: Reference,
  descriptor: Descriptor,
  options: PushOptions,
): Promise<ManifestBytes> {
  const { content } = services;
  const image = readImage(content, descriptor);
  const { manifest } = image;
  const choice = options.compression ?? { compression: 'gzip' };
  const limit = createLimiter(parallelPushes);
  const mountFrom = repositoriesBeside(services.images, reference);
  const push = (blob: Descriptor) => pushOneBlob(services, reference, blob, mountFrom, options);
  const layers = await Promise.all(
    manifest.layers.map((layer, index) =>
      limit(async () => {
        if (isForeignLayer(layer.mediaType)) return layer;
        const blob = await services.layerBlobs.materialize(image, index, choice, options.signal);
        using _ = content.hold([blob.digest]);
        await push(blob);
        return blob;
      }),
    ),
  );
  await push(manifest.config);
  const changed = layers.some((layer, index) => layer.digest !== manifest.layers[index]?.digest);
  const bytes = changed ? formatManifest({ ...manifest, layers }) : content.readSmall(descriptor.digest);
  return { mediaType: manifest.mediaType, bytes };
}

async function pushOneBlob(
  { client, content }: PushServices,
  reference: Reference,
  blob: Descriptor,
  mountFrom: readonly string[],
  { onProgress, signal }: PushOptions,
): Promise<void> {
  const { digest, size: total } = blob;
  const open = (offset: number) => content.read(digest, { offset, ...(signal ? { signal } : {}) });
  const tell = (current: number) => onProgress?.({ digest, state: 'pushing', current, total });
  const outcome = await pushBlob(client, reference, blob, { open, mountFrom, onProgress: tell, signal });
  const states = { exists: 'exists', mounted: 'mounted', uploaded: 'pushed' } as const;
  onProgress?.({ digest, state: states[outcome], total });
}

/** Other repositories of the same registry that we know: a blob may be mounted from the first that has it. */
function repositoriesBeside(images: ImageStore, reference: Reference): readonly string[] {
  const names = images.names().map((each) => parseReference(each.name));
  const beside = names.filter(
    (each) => each.domain === reference.domain && repositoryOf(each) !== repositoryOf(reference),
  );
  return [...new Set(beside.map((each) => each.path))].slice(0, 3);
}
