import type { Digest } from '../base/digest.ts';
import { chainIdsOf } from '../oci/chain-id.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { HistoryEntry, ImageConfig } from '../oci/image-config.ts';
import { formatManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { LayerId, Stack } from '../snapshot/snapshots.ts';
import type { ExportServices, ExportTarget } from './exporter.ts';

interface BuiltLayer {
  readonly diffId: Digest;
  readonly tarSize: number;
}

/** A manifest with its config, both in the content store; its layers are snapshots with known digests. */
export interface CommittedImage {
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  readonly target: ExportTarget;
}

export interface CommitOptions {
  readonly oci: boolean;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Writes config and manifest of a result. No layer is compressed or copied: each is digested once, and remembered. */
export async function commitImage(
  services: ExportServices,
  target: ExportTarget,
  options: CommitOptions,
): Promise<CommittedImage> {
  const layers = await digestLayers(services, target.stack);
  const diffIds = layers.map((layer) => layer.diffId);
  for (const [i, chainId] of chainIdsOf(diffIds).entries())
    services.snapshots.setChain(chainId, target.stack.slice(0, i + 1));
  const times = target.stack.map((layer) => new Date(services.snapshots.info(layer).createdAt).toISOString());
  const configBlob = services.content.writeSmall(JSON.stringify(finishConfig(target, diffIds, times)));
  const types = options.oci
    ? { manifest: mediaTypes.ociManifest, config: mediaTypes.ociConfig, layer: mediaTypes.ociLayer }
    : { manifest: mediaTypes.dockerManifest, config: mediaTypes.dockerConfig, layer: mediaTypes.dockerLayer };
  const config: Descriptor = { mediaType: types.config, digest: configBlob.digest, size: configBlob.size };
  const bytes = formatManifest({
    mediaType: types.manifest,
    config,
    layers: layers.map(({ diffId, tarSize }) => ({ mediaType: types.layer, digest: diffId, size: tarSize })),
    ...(Object.keys(options.annotations).length > 0 ? { annotations: options.annotations } : {}),
  });
  const blob = services.content.writeSmall(bytes);
  const manifest: Descriptor = {
    mediaType: types.manifest,
    digest: blob.digest,
    size: blob.size,
    platform: target.platform,
  };
  return { manifest, config, target };
}

async function digestLayers({ snapshots, bulk }: ExportServices, stack: Stack): Promise<BuiltLayer[]> {
  const digest = async (layer: LayerId): Promise<BuiltLayer> => {
    const { diffId, tarSize } = snapshots.info(layer);
    if (diffId !== undefined && tarSize !== undefined) return { diffId, tarSize };
    const made = await bulk.run('digestLayer', snapshots.layerDirectory(layer), {});
    snapshots.setDiffId(layer, made.diffId, made.tarSize);
    return made;
  };
  return Promise.all(stack.map(digest));
}

/**
 * The config with its layers; history is made to name as many of them as there are. Times come from the layers, so that a build
 * that ran nothing gives the image that is there already.
 */
function finishConfig(
  { config, platform }: ExportTarget,
  diffIds: readonly Digest[],
  times: readonly string[],
): ImageConfig {
  const base: ImageConfig = config ?? {
    architecture: platform.architecture,
    os: platform.os,
    config: {},
    rootfs: { type: 'layers', diff_ids: [] },
    history: [],
  };
  let layer = 0;
  let last: string | undefined;
  const history = (base.history ?? []).map((entry): HistoryEntry => {
    const time = entry.empty_layer === true ? undefined : times[layer++];
    last = entry.created ?? time ?? last;
    return last === undefined ? entry : { created: last, ...entry };
  });
  for (; layer < diffIds.length; layer++) {
    last = times[layer] ?? last;
    history.push({
      ...(last === undefined ? {} : { created: last }),
      created_by: '',
      comment: 'buildkit.exporter.image.v0',
    });
  }
  const created = base.created ?? last;
  return {
    ...base,
    ...(created === undefined ? {} : { created }),
    rootfs: { type: 'layers', diff_ids: diffIds },
    history,
  };
}
