import { closeSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { mountAll } from '../../kernel/mounting.ts';
import { openFlags, openInRoot } from '../../kernel/open-in-root.ts';
import { changeRoot, enterMountNamespace, leaveSharedRoot } from '../../kernel/own-root.ts';
import { openMountTarget } from '../../runtime/mount-target.ts';
import type { ContainerMount } from '../../runtime/runtime.ts';
import type { FilesView } from './files-job.ts';

/**
 * Makes the view the root directory of the calling thread. From then on it is the kernel that keeps every path inside, whatever a
 * process of the container does to the tree meanwhile (CVE-2018-15664).
 */
export function showView(view: FilesView): void {
  if (view.kind === 'process') {
    enterMountNamespace(view.pid);
    return;
  }
  leaveSharedRoot();
  if (view.kind === 'mounts') {
    mountAll(view.rootfs, view.place);
    for (const mount of view.more) mountInside(view.place, mount);
  } else {
    mountAll([{ type: 'tmpfs', source: 'tmpfs', options: ['size=64k'] }], view.place);
    const [upper, lower] = [join(view.place, 'upper'), join(view.place, 'lower')];
    mkdirSync(upper);
    mkdirSync(lower);
    mountAll([{ type: 'bind', source: view.upper, options: ['bind', 'ro'] }], upper);
    mountAll(view.lower, lower);
  }
  changeRoot(view.place);
}

/**
 * The source first gets the mount's options in its own place, which this thread alone sees. A volume may be another container's as well:
 * the target is held by a descriptor while it is mounted on (CVE-2021-30465).
 */
function mountInside(root: string, { target, selector, ...mount }: ContainerMount): void {
  mountAll([mount], mount.source);
  const part = selector === undefined ? undefined : openInRoot(mount.source, selector, openFlags.path);
  const source = part === undefined ? mount.source : `/proc/self/fd/${part}`;
  const fd = openMountTarget(root, target, statSync(source).isDirectory() ? 'directory' : 'file', []);
  try {
    mountAll([{ type: 'bind', source, options: ['rbind'] }], `/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
    if (part !== undefined) closeSync(part);
  }
}
