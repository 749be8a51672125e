import type { Digest } from '../base/digest.ts';
import { notFound, SlipwayError } from '../base/errors.ts';
import type { ContentStore } from '../content/content-store.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { checkLayoutFile, imageNameAnnotation, parseLayoutIndex, refNameAnnotation } from '../oci/image-layout.ts';
import { badDocument, isJsonObject, optionalStrings, own, parseJsonObject } from '../oci/json.ts';
import { formatManifest } from '../oci/manifest.ts';
import { isIndexType, isManifestType, mediaTypes } from '../oci/media-types.ts';
import { diffIdsOf, parseImageConfig } from '../oci/parse-image-config.ts';
import { choosePlatform, formatPlatform, type Platform } from '../oci/platform.ts';
import {
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../oci/reference.ts';
import { ArchiveContents } from './archive-contents.ts';
import { presentImages, readImage } from './image-content.ts';
import type { ImageStore } from './image-store.ts';
import type { LayerArchiver } from './layer-archiver.ts';
import type { OnTransfer } from './transfer-progress.ts';
import type { Unpacker } from './unpack.ts';

interface LoadServices {
  readonly content: ContentStore;
  readonly images: ImageStore;
  readonly archiver: LayerArchiver;
  readonly unpacker: Unpacker;
}

interface LoadOptions {
  /** Refuses an archive that would take a name away from another image. */
  readonly noClobber?: boolean | undefined;
  /** Loads this platform; not-found when an image has it not. */
  readonly platform?: Platform | undefined;
  /** Bytes of the uncompressed archive. */
  readonly limit?: number | undefined;
  readonly onProgress?: OnTransfer | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LoadedImage {
  readonly id: Digest;
  readonly target: Descriptor;
  /** Names as people write them; empty when the archive gives none. */
  readonly names: readonly string[];
  /** Names that stood for another image until now, and for which. */
  readonly moved: ReadonlyMap<string, Digest>;
}

/** An image of an archive before it is stored. */
interface ArchivedImage {
  readonly target: Descriptor;
  names: readonly Reference[];
}

/** Loads what `docker save`, `skopeo`, `buildx` and others write: docker archives of any age, and OCI layouts as tar; compressed or not. */
export async function loadImages(
  services: LoadServices,
  archive: AsyncIterable<Uint8Array>,
  options: LoadOptions = {},
): Promise<readonly LoadedImage[]> {
  const { content, archiver } = services;
  const { limit, signal } = options;
  using contents = await ArchiveContents.read(content, archiver.decompress(archive), { limit, signal });
  const images = await imagesIn(content, contents);
  if (images.length === 0) throw badDocument('image archive', 'it has no image');
  if (options.noClobber) refuseTakenNames(services.images, images);
  const loaded: LoadedImage[] = [];
  for (const image of images) loaded.push(await loadOne(services, image, options));
  return loaded;
}

async function loadOne(
  services: LoadServices,
  { target, names }: ArchivedImage,
  options: LoadOptions,
): Promise<LoadedImage> {
  const { content, images, unpacker } = services;
  const { platform, onProgress, signal } = options;
  const present = presentImages(content, target);
  if (present.length === 0) throw badDocument('image archive', `nothing of image "${target.digest}" is in it`);
  const wanted = platform ? choosePlatform(platform, present, (each) => each.platform) : present[0];
  if (!wanted) {
    const there = present.map((each) => formatPlatform(each.platform)).join(', ');
    throw notFound(
      `no match for platform ${formatPlatform(platform ?? { os: '', architecture: '' })} in the archive: it has ${there}`,
    );
  }
  // Unpacked at once, so that a damaged layer is told now and not when the image is first used.
  for (const each of platform ? [wanted] : present) {
    using _ = await unpacker.ensureUnpacked(readImage(content, each.descriptor), { onProgress, signal });
  }
  const { moved } = images.put(target, names);
  const id = images.get(target.digest)?.id ?? wanted.config;
  return { id, target, names: names.map(familiarReference), moved };
}

function refuseTakenNames(store: ImageStore, images: readonly ArchivedImage[]): void {
  for (const { target, names } of images) {
    for (const name of names) {
      const taken = store.targetOf(formatReference(name));
      if (taken === undefined || taken === target.digest) continue;
      throw new SlipwayError(
        'already-exists',
        `cannot load "${familiarReference(name)}": the name stands for another image`,
      );
    }
  }
}

async function imagesIn(content: ContentStore, contents: ArchiveContents): Promise<readonly ArchivedImage[]> {
  const layout = contents.document('oci-layout');
  const index = contents.document('index.json');
  const docker = contents.document('manifest.json');
  if (layout && index) {
    checkLayoutFile(layout);
    const images = imagesOfLayout(content, index);
    if (docker) addDockerNames(content, contents, images, docker);
    return images;
  }
  if (docker) return Promise.all(dockerItems(docker).map((item) => imageOfDockerItem(content, contents, item)));
  throw badDocument('image archive', 'it has neither manifest.json nor index.json with oci-layout');
}

function imagesOfLayout(content: ContentStore, index: Uint8Array): ArchivedImage[] {
  const images = new Map<Digest, ArchivedImage>();
  for (const { annotations, ...target } of parseLayoutIndex(index).manifests) {
    if (!isManifestType(target.mediaType) && !isIndexType(target.mediaType)) continue;
    if (!content.stat(target.digest))
      throw badDocument('image archive', `its index.json names "${target.digest}", which is not in it`);
    const image = images.get(target.digest) ?? { target, names: [] };
    images.set(target.digest, image);
    const name = annotations?.[imageNameAnnotation] ?? fullName(annotations?.[refNameAnnotation]);
    if (name) image.names = [...image.names, withDefaultTag(parseReference(name))];
  }
  return [...images.values()];
}

/** The reference-name annotation may be just a tag, which names no image. */
function fullName(text: string | undefined): string | undefined {
  return text && /[/:]/.test(text) ? text : undefined;
}

interface DockerItem {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}

/** `[{Config, RepoTags, Layers}]` (docker image-spec v1.2, "Combined Image JSON + Filesystem Changeset Format"). */
function dockerItems(bytes: Uint8Array): readonly DockerItem[] {
  const what = "archive's manifest.json";
  const list = own(
    parseJsonObject(Buffer.concat([Buffer.from('{"items":'), bytes, Buffer.from('}')]), what, 9 << 20),
    'items',
  );
  if (!Array.isArray(list)) throw badDocument(what, 'it is not a list');
  return list.map((item: unknown) => {
    const config = isJsonObject(item) ? own(item, 'Config') : undefined;
    if (!isJsonObject(item) || typeof config !== 'string') throw badDocument(what, 'an entry has no "Config"');
    return {
      config,
      tags: optionalStrings(item, 'RepoTags', what) ?? [],
      layers: optionalStrings(item, 'Layers', what) ?? [],
    };
  });
}

/** An archive of both kinds: docker's list may know names that the annotations do not. */
function addDockerNames(
  content: ContentStore,
  contents: ArchiveContents,
  images: readonly ArchivedImage[],
  bytes: Uint8Array,
): void {
  for (const { config, tags } of dockerItems(bytes)) {
    const digest = contents.digestOf(config);
    const image = images.find(({ target }) => presentImages(content, target).some((each) => each.config === digest));
    if (!image) continue;
    const known = new Set(image.names.map(formatReference));
    const more = tags
      .map((tag) => withDefaultTag(parseReference(tag)))
      .filter((each) => !known.has(formatReference(each)));
    image.names = [...image.names, ...more];
  }
}

async function imageOfDockerItem(
  content: ContentStore,
  contents: ArchiveContents,
  item: DockerItem,
): Promise<ArchivedImage> {
  const configDigest = contents.digestOf(item.config);
  const config = parseImageConfig(content.readSmall(configDigest));
  const diffIds = diffIdsOf(config);
  if (diffIds.length !== item.layers.length) {
    throw badDocument(
      'image archive',
      `${item.config} has ${diffIds.length} diffIDs, manifest.json ${item.layers.length} layers`,
    );
  }
  const layers = await Promise.all(item.layers.map((path) => describeLayer(content, contents.digestOf(path))));
  const manifest = formatManifest({
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: configDigest, size: content.stat(configDigest)?.size ?? 0 },
    layers,
  });
  const target = { mediaType: mediaTypes.ociManifest, ...content.writeSmall(manifest) };
  return { target, names: item.tags.map((tag) => withDefaultTag(parseReference(tag))) };
}

async function describeLayer(content: ContentStore, digest: Digest): Promise<Descriptor> {
  const size = content.stat(digest)?.size ?? 0;
  for await (const chunk of content.read(digest)) {
    const start = Buffer.from(chunk.subarray(0, 4)).toString('hex');
    if (start.startsWith('1f8b')) return { mediaType: mediaTypes.ociLayerGzip, digest, size };
    if (start === '28b52ffd') return { mediaType: mediaTypes.ociLayerZstd, digest, size };
    break;
  }
  return { mediaType: mediaTypes.ociLayer, digest, size };
}
