import { closeSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { mountAll, unmount } from '../kernel/mounting.ts';
import { openFlags, openInRoot } from '../kernel/open-in-root.ts';
import { resolveUser } from '../oci/user.ts';
import type { ProcessUser } from '../runtime/runtime.ts';
import type { ActiveId, Snapshots } from '../snapshot/snapshots.ts';
import type { ContainerRecord } from './container-record.ts';

/** Shows a container's root file system below `runDirectory` while `use` works. For containers that do not run. */
export async function withRootfs<T>(
  { snapshots, runDirectory }: { readonly snapshots: Snapshots; readonly runDirectory: string },
  layer: ActiveId,
  use: (rootfs: string) => T | Promise<T>,
): Promise<T> {
  const place = mkdtempSync(join(runDirectory, 'rootfs-'));
  try {
    mountAll(snapshots.activeMounts(layer), place);
    try {
      return await use(place);
    } finally {
      unmount(place);
    }
  } finally {
    rmdirSync(place);
  }
}

/** Whether the user's numbers can be told without the container's own files. */
export function isRoot({ config, hostConfig }: ContainerRecord): boolean {
  return ['', '0', 'root', '0:0', 'root:root'].includes(config.User ?? '') && (hostConfig.GroupAdd ?? []).length === 0;
}

/** The numbers of a container's user and groups, by the names in its own /etc/passwd and /etc/group. */
export function userIn(rootfs: string, { config, hostConfig }: ContainerRecord): ProcessUser {
  const passwd = readInside(rootfs, '/etc/passwd');
  const group = readInside(rootfs, '/etc/group');
  const { uid, gid, additionalGids } = resolveUser(config.User ?? '', passwd, group);
  const added = (hostConfig.GroupAdd ?? []).map((name) => resolveUser(`0:${name}`, passwd, group).gid);
  return { uid, gid, additionalGids: [...additionalGids, ...added] };
}

function readInside(root: string, path: string): string {
  try {
    const fd = openInRoot(root, path, openFlags.readOnly);
    try {
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  } catch {
    // An image without such a file knows numbers only.
    return '';
  }
}
