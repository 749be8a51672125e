import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { invalidArgument } from '../base/errors.ts';
import { resolveInRootPath } from '../kernel/open-in-root.ts';
import type { ContainerMount } from '../runtime/runtime.ts';
import type { BulkPool } from '../snapshot/bulk-pool.ts';
import type { MountPoint } from './container-record.ts';
import type { PlannedMount } from './mount-plan.ts';
import type { Volumes } from './volumes.ts';

/** Finds or makes what the mounts show. `made` gets the volumes that did not exist before. */
export function resolveMounts(planned: readonly PlannedMount[], volumes: Volumes, made: string[]): MountPoint[] {
  return planned.map(({ source, makeSource, ...mount }): MountPoint => {
    if (mount.type === 'tmpfs') return { ...mount, source: '' };
    if (mount.type === 'bind') {
      if (!existsSync(source)) makeBindSource(source, makeSource);
      return { ...mount, source };
    }
    const { volume, isNew } = volumes.ensure(source === '' ? {} : { name: source });
    if (isNew) made.push(volume.name);
    return { ...mount, source: volume.path, name: volume.name };
  });
}

function makeBindSource(source: string, make: boolean): void {
  if (!make) throw invalidArgument(`invalid mount config for type "bind": bind source path does not exist: ${source}`);
  mkdirSync(source, { recursive: true, mode: 0o755 });
}

/** Outer mounts come before what lies inside them. */
export function runtimeMounts(mounts: readonly MountPoint[]): ContainerMount[] {
  const depth = ({ target }: MountPoint) => target.split('/').length;
  return mounts.toSorted((a, b) => depth(a) - depth(b)).map(runtimeMount);
}

function runtimeMount({
  type,
  source,
  target,
  readOnly,
  propagation,
  subpath,
  nonRecursive,
  options,
}: MountPoint): ContainerMount {
  if (type === 'tmpfs') return { type: 'tmpfs', source: 'tmpfs', target, options };
  return {
    type: 'bind',
    source,
    target,
    options: [nonRecursive ? 'bind' : 'rbind', propagation || 'rprivate', ...(readOnly ? ['ro'] : [])],
    ...(subpath === '' ? {} : { selector: subpath }),
  };
}

/** An empty volume starts with what the image has at its place, owner and mode of the directory included. */
export async function fillVolumes(
  mounts: readonly MountPoint[],
  rootfs: string,
  bulk: Pick<BulkPool, 'run'>,
): Promise<void> {
  for (const { type, source, target, noCopy, subpath } of mounts) {
    if (type !== 'volume' || noCopy || subpath !== '' || readdirSync(source).length > 0) continue;
    const directory = directoryIn(rootfs, target);
    if (directory === undefined) continue;
    const { uid, gid, mode } = statSync(directory);
    chownSync(source, uid, gid);
    chmodSync(source, mode & 0o7777);
    await bulk.run('copySelection', rootfs, { path: target, wildcard: false, followLinks: true }, source, '/', {
      directoryContents: true,
      createDestination: true,
      replaceExisting: true,
    });
  }
}

/** Whether a volume of these will be filled: then the image's files are needed. */
export function wantsFilling(mounts: readonly MountPoint[]): boolean {
  return mounts.some(
    ({ type, source, noCopy, subpath }) =>
      type === 'volume' && !noCopy && subpath === '' && readdirSync(source).length === 0,
  );
}

function directoryIn(rootfs: string, path: string): string | undefined {
  try {
    const found = resolveInRootPath(rootfs, path);
    return statSync(found).isDirectory() ? found : undefined;
  } catch {
    // The image has nothing there.
    return undefined;
  }
}
