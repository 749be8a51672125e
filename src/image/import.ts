import type { ContentStore } from '../content/content-store.ts';
import type { Instruction } from '../dockerfile/instruction.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { canonicalJson } from '../oci/json.ts';
import { formatManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { hostPlatform, type Platform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import { applyChanges } from './change-config.ts';
import { readImage } from './image-content.ts';
import type { ImageRecord, ImageStore } from './image-store.ts';
import type { LayerArchiver } from './layer-archiver.ts';
import type { Unpacker } from './unpack.ts';

interface ImportServices {
  readonly content: ContentStore;
  readonly images: ImageStore;
  readonly archiver: LayerArchiver;
  readonly unpacker: Unpacker;
}

interface ImportOptions {
  readonly name?: Reference | undefined;
  readonly platform?: Platform | undefined;
  /** For the history. */
  readonly message?: string | undefined;
  readonly changes?: readonly Instruction[] | undefined;
  readonly created?: Date | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Makes an image of one layer from a root file system's tar, compressed or not: `docker import`. */
export async function importImage(
  services: ImportServices,
  rootfs: AsyncIterable<Uint8Array>,
  options: ImportOptions = {},
): Promise<ImageRecord> {
  const { content, images, archiver, unpacker } = services;
  const { signal } = options;
  const changed = applyChanges({}, options.changes ?? []);
  const layer = await content.write(archiver.decompress(rootfs), signal ? { signal } : {});
  using _layer = content.hold([layer.digest]);
  const created = (options.created ?? new Date()).toISOString();
  const { os, architecture, variant } = options.platform ?? hostPlatform();
  const config: ImageConfig = {
    created,
    os,
    architecture,
    ...(variant ? { variant } : {}),
    config: changed,
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
    history: [{ created, comment: options.message ?? 'Imported from -' }],
  };
  const configBlob = content.writeSmall(canonicalJson(config));
  const manifest = formatManifest({
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, ...configBlob },
    layers: [{ mediaType: mediaTypes.ociLayer, ...layer }],
  });
  const target = { mediaType: mediaTypes.ociManifest, ...content.writeSmall(manifest) };
  using _documents = content.hold([configBlob.digest, target.digest]);
  using _stack = await unpacker.ensureUnpacked(readImage(content, target), { signal });
  images.put(target, options.name ? [options.name] : []);
  const record = images.get(target.digest);
  if (!record) throw new TypeError(`image "${target.digest}" vanished while it was imported`);
  return record;
}
