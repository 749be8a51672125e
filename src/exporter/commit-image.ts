import type { Digest } from '../base/digest.ts';
import type { CompressionChoice } from '../image/materialize-layers.ts';
import { chainIdsOf } from '../oci/chain-id.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { HistoryEntry, ImageConfig } from '../oci/image-config.ts';
import { formatManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { LayerId } from '../snapshot/snapshots.ts';
import type { ExportServices, ExportTarget } from './exporter.ts';
import { rewriteLayer } from './rewrite-layer.ts';

interface BuiltLayer {
  readonly diffId: Digest;
  readonly descriptor: Descriptor;
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
  /** Nothing in the config is later. Seconds since 1970. */
  readonly epoch?: number | undefined;
  /** Layers are written anew with no file later than the epoch, and compressed so; else their bytes are made when they leave. */
  readonly rewrite?: CompressionChoice | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Writes config and manifest of a result. Unless times are rewritten no layer is compressed or copied: each is digested once, and remembered. */
export async function commitImage(
  services: ExportServices,
  target: ExportTarget,
  options: CommitOptions,
): Promise<CommittedImage> {
  const types = options.oci
    ? { manifest: mediaTypes.ociManifest, config: mediaTypes.ociConfig, layer: mediaTypes.ociLayer }
    : { manifest: mediaTypes.dockerManifest, config: mediaTypes.dockerConfig, layer: mediaTypes.dockerLayer };
  const layers = await Promise.all(
    target.stack.map((layer, i) =>
      options.rewrite && options.epoch !== undefined && i >= target.baseLayers
        ? rewriteLayer(services, layer, options.epoch, options.rewrite, options)
        : digestLayer(services, layer, types.layer),
    ),
  );
  const diffIds = layers.map((layer) => layer.diffId);
  const asTheyAre = options.rewrite ? diffIds.slice(0, target.baseLayers) : diffIds;
  for (const [i, chainId] of chainIdsOf(asTheyAre).entries())
    services.snapshots.setChain(chainId, target.stack.slice(0, i + 1));
  const times = target.stack.map((layer) => new Date(services.snapshots.info(layer).createdAt).toISOString());
  const finished = notAfter(finishConfig(target, diffIds, times), options.epoch);
  const configBlob = services.content.writeSmall(JSON.stringify(finished));
  const config: Descriptor = { mediaType: types.config, digest: configBlob.digest, size: configBlob.size };
  const bytes = formatManifest({
    mediaType: types.manifest,
    config,
    layers: layers.map(({ descriptor }) => descriptor),
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

async function digestLayer(
  { snapshots, bulk }: ExportServices,
  layer: LayerId,
  mediaType: string,
): Promise<BuiltLayer> {
  const { diffId, tarSize } = snapshots.info(layer);
  const known = diffId !== undefined && tarSize !== undefined;
  const made = known ? { diffId, tarSize } : await bulk.run('digestLayer', snapshots.layerDirectory(layer), {});
  if (!known) snapshots.setDiffId(layer, made.diffId, made.tarSize);
  return { diffId: made.diffId, descriptor: { mediaType, digest: made.diffId, size: made.tarSize } };
}

/** `created` and the history, clamped to SOURCE_DATE_EPOCH as BuildKit does. */
function notAfter(config: ImageConfig, epoch: number | undefined): ImageConfig {
  if (epoch === undefined) return config;
  const created = new Date(epoch * 1000).toISOString().replace('.000Z', 'Z');
  const isLater = (time: string | undefined) => time === undefined || Date.parse(time) > epoch * 1000;
  const history = (config.history ?? []).map((entry) => (isLater(entry.created) ? { ...entry, created } : entry));
  return { ...config, created, history };
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
