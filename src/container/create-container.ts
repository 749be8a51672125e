import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { invalidArgument, SlipwayError } from '../base/errors.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import type { BulkPool } from '../snapshot/bulk-pool.ts';
import type { ActiveId, Snapshots, Stack } from '../snapshot/snapshots.ts';
import { fillVolumes, resolveMounts, wantsFilling } from './container-mounts.ts';
import {
  type ContainerConfig,
  type ContainerRecord,
  createdState,
  type HostConfig,
  type MountPoint,
} from './container-record.ts';
import type { ContainerTable } from './container-table.ts';
import { logLimits } from './json-log.ts';
import { mergeConfig } from './merge-config.ts';
import { planMounts } from './mount-plan.ts';
import { randomName } from './random-name.ts';
import { withRootfs } from './rootfs-view.ts';
import { signalName } from './signal-name.ts';
import type { Volumes } from './volumes.ts';

/** An image that a container can stand on. */
export interface ContainerImage {
  /** Digest of its config. */
  readonly id: string;
  readonly config: ImageConfig;
  readonly stack: Stack;
}

export interface CreateRequest {
  readonly name: string | undefined;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
}

export interface CreateServices {
  readonly root: string;
  readonly snapshots: Snapshots;
  readonly bulk: Pick<BulkPool, 'run'>;
  /** Throws not-found with docker's words when the image is not here. */
  resolveImage(name: string): Promise<ContainerImage>;
}

/** A new record, its writable layer and its volumes; when one of them fails, none is left. */
export async function createContainer(
  services: CreateServices,
  table: ContainerTable,
  volumes: Volumes,
  { name, config: own, hostConfig }: CreateRequest,
): Promise<ContainerRecord> {
  if (name !== undefined) checkName(name);
  checkHostConfig(hostConfig);
  const image = await services.resolveImage(own.Image ?? '');
  const config = mergeConfig(own, image.config.config ?? {});
  if (config.StopSignal) signalName(config.StopSignal);
  const planned = planMounts(config, hostConfig);
  const inherited = mountsOfOthers(table, hostConfig.VolumesFrom ?? []);
  const layer = services.snapshots.prepare(image.stack, { persistent: true });
  const made: string[] = [];
  try {
    const targets = new Set(inherited.map(({ target }) => target));
    const isOwn = ({ target }: { target: string }) => !targets.has(target);
    const mounts = [...inherited, ...resolveMounts(planned.filter(isOwn), volumes, made)];
    await fill(services, layer, mounts);
    const record: ContainerRecord = {
      id: randomBytes(32).toString('hex'),
      name: name ?? randomName((candidate) => table.hasName(candidate)),
      created: new Date().toISOString(),
      imageId: image.id,
      image: own.Image ?? '',
      config,
      hostConfig,
      mounts,
      layer,
      state: createdState,
    };
    table.put(record);
    return record;
  } catch (error) {
    services.snapshots.discard(layer);
    for (const volume of made) await volumes.remove(volume, []).catch(() => {});
    throw error;
  }
}

/** The removal of what createContainer made, volumes aside. */
export function dropContainer(
  services: Pick<CreateServices, 'root' | 'snapshots'>,
  { id, layer }: ContainerRecord,
): void {
  services.snapshots.discard(layer as ActiveId);
  rmSync(join(services.root, 'containers', id), { recursive: true, force: true });
}

export function checkName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}$/.test(name)) return;
  throw invalidArgument(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
}

function checkHostConfig({ LogConfig }: HostConfig): void {
  const type = LogConfig?.Type ?? '';
  if (!['', 'json-file', 'local', 'none'].includes(type))
    throw new SlipwayError('unimplemented', `logger: no log driver named '${type}' is registered`, {
      hint: 'want json-file, local or none',
    });
  logLimits(LogConfig?.Config ?? {});
}

async function fill(services: CreateServices, layer: ActiveId, mounts: readonly MountPoint[]): Promise<void> {
  if (!wantsFilling(mounts)) return;
  const runDirectory = join(services.root, 'run');
  await withRootfs({ ...services, runDirectory }, layer, (rootfs) => fillVolumes(mounts, rootfs, services.bulk));
}

/** `--volumes-from name[:ro]`: the directories that another container sees. */
function mountsOfOthers(table: ContainerTable, names: readonly string[]): MountPoint[] {
  const found = new Map<string, MountPoint>();
  for (const text of names) {
    const [name = '', mode = ''] = text.split(':');
    if (!['', 'ro', 'rw', 'z', 'Z'].includes(mode)) throw invalidArgument(`invalid mode: ${mode}`);
    for (const mount of table.find(name).mounts) {
      if (mount.type !== 'tmpfs') found.set(mount.target, { ...mount, readOnly: mount.readOnly || mode === 'ro' });
    }
  }
  return [...found.values()];
}
