import type { Digest } from '../base/digest.ts';
import type { ContentStore } from '../content/content-store.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import {
  imageNameAnnotation,
  layoutBlobPath,
  layoutFileName,
  layoutFileText,
  refNameAnnotation,
} from '../oci/image-layout.ts';
import { canonicalJson } from '../oci/json.ts';
import { formatManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Platform } from '../oci/platform.ts';
import { familiarReference, formatReference, type Reference } from '../oci/reference.ts';
import { findImage, manifestFor } from './find-image.ts';
import { readDocument, readImage } from './image-content.ts';
import type { ImageRecord, ImageStore } from './image-store.ts';
import type { LayerBlobs } from './materialize-layers.ts';
import { type PackedFile, packTar } from './tar-stream.ts';

interface SaveServices {
  readonly content: ContentStore;
  readonly images: ImageStore;
  readonly layerBlobs: LayerBlobs;
}

interface SaveOptions {
  /** Only this platform of each image. */
  readonly platform?: Platform | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface SavedImage {
  /** What index.json names: an index that is here in full, or one manifest. */
  readonly target: Descriptor;
  readonly manifest: Descriptor;
  readonly names: Reference[];
}

/**
 * Images as one archive that is an OCI image layout and a `docker save` archive at once:
 *
 *     oci-layout  index.json          image layout; names in the annotations
 *     manifest.json                   docker's list: Config, RepoTags, Layers as paths
 *     blobs/sha256/…                  manifests, configs, layers
 *
 * Layers leave as they are stored; those that were only built are written uncompressed from their snapshots. Throws before the
 * first byte when an image is not there.
 */
export function saveImages(
  services: SaveServices,
  names: readonly string[],
  options: SaveOptions = {},
): AsyncIterable<Uint8Array> {
  const images = collectImages(services.images, services.content, names, options.platform);
  const blobs = new Map<Digest, PackedFile>();
  for (const { target } of images) addTarget(services, target, blobs, options.signal);
  const metadata = [
    textFile(layoutFileName, layoutFileText),
    textFile('index.json', layoutIndex(images)),
    textFile('manifest.json', dockerManifest(services.content, images)),
  ];
  const sorted = [...blobs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
  return packTar(['blobs', 'blobs/sha256'], [...metadata, ...sorted]);
}

function collectImages(
  store: ImageStore,
  content: ContentStore,
  texts: readonly string[],
  platform: Platform | undefined,
): readonly SavedImage[] {
  const images = new Map<Digest, SavedImage>();
  for (const text of texts) {
    const { record, name } = findImage(store, text);
    const manifest = manifestFor(record, platform).descriptor;
    const target = platform === undefined && isWhole(content, record) ? record.target : manifest;
    const saved = images.get(target.digest) ?? { target, manifest, names: [] };
    images.set(target.digest, saved);
    if (name?.tag !== undefined) saved.names.push(name);
  }
  return [...images.values()];
}

function isWhole(content: ContentStore, { target }: ImageRecord): boolean {
  const document = readDocument(content, target);
  return document.kind === 'manifest' || document.manifests.every((each) => content.stat(each.digest) !== undefined);
}

function addTarget(
  services: SaveServices,
  target: Descriptor,
  blobs: Map<Digest, PackedFile>,
  signal: AbortSignal | undefined,
): void {
  const { content, layerBlobs } = services;
  const add = (
    { digest, size }: Descriptor,
    open: PackedFile['open'] = () => content.read(digest, signal ? { signal } : {}),
  ) => blobs.set(digest, { name: layoutBlobPath(digest), size, open });
  add(target);
  const document = readDocument(content, target);
  if (document.kind === 'index') {
    for (const entry of document.manifests) addTarget(services, entry, blobs, signal);
    return;
  }
  add(document.config);
  const image = readImage(content, target);
  for (const [index, layer] of document.layers.entries()) {
    if (content.stat(layer.digest)) add(layer);
    else add(layer, () => layerBlobs.openTar(image, index, signal));
  }
}

function layoutIndex(images: readonly SavedImage[]): string {
  const manifests = images.flatMap(({ target, names }) =>
    names.length === 0
      ? [target]
      : names.map((name) => ({
          ...target,
          annotations: {
            ...target.annotations,
            [imageNameAnnotation]: formatReference(name),
            [refNameAnnotation]: name.tag ?? '',
          },
        })),
  );
  return Buffer.from(formatManifest({ mediaType: mediaTypes.ociIndex, manifests })).toString();
}

function dockerManifest(content: ContentStore, images: readonly SavedImage[]): string {
  const items = images.map(({ manifest, names }) => {
    const { config, layers } = readImage(content, manifest).manifest;
    return {
      Config: layoutBlobPath(config.digest),
      RepoTags: names.length === 0 ? null : names.map(familiarReference),
      Layers: layers.map((each) => layoutBlobPath(each.digest)),
    };
  });
  return canonicalJson(items);
}

function textFile(name: string, text: string): PackedFile {
  const bytes = Buffer.from(text);
  return { name, size: bytes.length, open: () => [bytes] };
}
