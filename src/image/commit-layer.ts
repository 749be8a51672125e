import { SlipwayError } from '../base/errors.ts';
import type { ContentStore } from '../content/content-store.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { ContainerConfig, HistoryEntry, ImageConfig } from '../oci/image-config.ts';
import { canonicalJson } from '../oci/json.ts';
import { formatManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { diffIdsOf } from '../oci/parse-image-config.ts';
import { hostPlatform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import type { Snapshots, Stack } from '../snapshot/snapshots.ts';
import { type ImageContent, readImage } from './image-content.ts';
import type { ImageRecord, ImageStore } from './image-store.ts';
import type { Unpacker } from './unpack.ts';

interface CommitServices {
  readonly content: ContentStore;
  readonly images: ImageStore;
  readonly snapshots: Snapshots;
  readonly unpacker: Unpacker;
}

export interface LayerToCommit {
  /** The image that the layer lies over; its record may be gone, while its layers are held. */
  readonly base: ImageContent | undefined;
  readonly stack: Stack;
  /** The layer as an uncompressed tar. */
  readonly changeset: AsyncIterable<Uint8Array>;
  readonly config: ContainerConfig;
  readonly name?: Reference | undefined;
  readonly author?: string | undefined;
  readonly comment?: string | undefined;
  /** For the history. */
  readonly createdBy: string;
  readonly signal?: AbortSignal | undefined;
}

/** Makes an image of another one and one layer more: `docker commit`. */
export async function commitLayer(services: CommitServices, layer: LayerToCommit): Promise<ImageRecord> {
  const { content, images, unpacker } = services;
  const { base, author, comment, signal, config } = layer;
  const blob = await content.write(layer.changeset, signal ? { signal } : {});
  using _layer = content.hold([blob.digest]);
  const below = base ? base.manifest.layers : layersOf(services, layer.stack);
  const diffIds = base ? diffIdsOf(base.config) : below.map(({ digest }) => digest);
  const created = new Date().toISOString();
  const entry: HistoryEntry = {
    created,
    ...(layer.createdBy ? { created_by: layer.createdBy } : {}),
    ...(author ? { author } : {}),
    ...(comment ? { comment } : {}),
  };
  const { author: _, ...inherited } = base?.config ?? hostConfigBase();
  const image: ImageConfig = {
    ...inherited,
    created,
    ...(author ? { author } : {}),
    config,
    rootfs: { type: 'layers', diff_ids: [...diffIds, blob.digest] },
    history: [...(base?.config.history ?? diffIds.map(() => ({ created }))), entry],
  };
  const configBlob = content.writeSmall(canonicalJson(image));
  const manifest = formatManifest({
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, ...configBlob },
    layers: [...below, { mediaType: mediaTypes.ociLayer, ...blob }],
  });
  const target = { mediaType: mediaTypes.ociManifest, ...content.writeSmall(manifest) };
  using _documents = content.hold([configBlob.digest, target.digest]);
  using _stack = await unpacker.ensureUnpacked(readImage(content, target), { signal });
  images.put(target, layer.name ? [layer.name] : []);
  const record = images.get(target.digest);
  if (!record) throw new TypeError(`image "${target.digest}" vanished while it was committed`);
  return record;
}

function hostConfigBase(): ImageConfig {
  const { os, architecture, variant } = hostPlatform();
  return { os, architecture, ...(variant ? { variant } : {}), rootfs: { type: 'layers', diff_ids: [] } };
}

/** The layers of an image that is no longer known by a name: their digests are remembered with their files. */
function layersOf({ snapshots }: CommitServices, stack: Stack): Descriptor[] {
  return stack.map((id) => {
    const { diffId, tarSize } = snapshots.info(id);
    if (diffId === undefined || tarSize === undefined)
      throw new SlipwayError('failed-precondition', 'cannot commit the container: its image was removed', {
        hint: 'pull or build the image again',
      });
    return { mediaType: mediaTypes.ociLayer, digest: diffId, size: tarSize };
  });
}
