import { closeSync } from 'node:fs';
import type { Mount } from './mount.ts';
import { bind, checked, cString, SystemCallError } from './system-call.ts';

const mountCall = bind(
  'int mount(const void *source, const void *target, const void *type, unsigned long flags, const void *data)',
);
const umountCall = bind('int umount2(const void *target, int flags)');
const fsmountCall = bind('long syscall(long number, long fd, long flags, long attributes)');
const fsopenCall = bind('long syscall(long number, const void *name, long flags)');
const fsconfigCall = bind(
  'long syscall(long number, long fd, long command, const void *key, const void *value, long aux)',
);
const moveMountCall = bind(
  'long syscall(long number, long fromFd, const void *fromPath, long toFd, const void *toPath, long flags)',
);

/** linux/mount.h */
const flagOf: Readonly<Record<string, number>> = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 16,
  remount: 32,
  noatime: 1024,
  nodiratime: 2048,
  bind: 4096,
  rbind: 4096 | 16384,
  private: 1 << 18,
  rprivate: (1 << 18) | 16384,
  slave: 1 << 19,
  rslave: (1 << 19) | 16384,
  shared: 1 << 20,
  rshared: (1 << 20) | 16384,
  relatime: 1 << 21,
  strictatime: 1 << 24,
};
const bindFlag = 4096;
const recursiveFlag = 16384;
const readOnlyFlag = 1;
const remountFlag = 32;
const propagationFlags = (1 << 18) | (1 << 19) | (1 << 20);

/** mount(2) takes its data as one page at most. */
const dataLimit = 4095;

/** System call numbers of the mount API; the same on x86-64 and arm64 (asm-generic/unistd.h from 424 on). */
const calls = { moveMount: 429, fsopen: 430, fsconfig: 431, fsmount: 432 } as const;
const fsconfigSetString = 1;
const fsconfigSetFlag = 0;
const fsconfigCreate = 6;
const moveMountFromEmptyPath = 4;
const atCwd = -100;

/** Applies the mounts to one target, in order; when one fails, those before it are undone. */
export function mountAll(mounts: readonly Mount[], target: string): void {
  let done = 0;
  try {
    for (const mount of mounts) {
      mountOne(mount, target);
      done++;
    }
  } catch (error) {
    for (; done > 0; done--) unmount(target);
    throw error;
  }
}

function mountOne({ type, source, options }: Mount, target: string): void {
  let flags = 0;
  const data: string[] = [];
  for (const option of options) {
    const flag = flagOf[option];
    if (flag === undefined) data.push(option);
    else flags |= flag;
  }
  const text = data.join(',');
  if (type === 'bind') bindMount(source, target, flags);
  else if (text.length <= dataLimit) mountWith(source, target, type, flags & ~propagationFlags, text);
  else if (type === 'overlay') mountByFile(type, source, target, flags, data);
  else throw new SystemCallError(7, 'mount', target);
}

/** A bind mount takes no flags at once: they are set by remounting it, and propagation by a further call. */
function bindMount(source: string, target: string, flags: number): void {
  mountWith(source, target, '', bindFlag | (flags & recursiveFlag), '');
  const rest = flags & ~(bindFlag | recursiveFlag | propagationFlags);
  try {
    if (flags & propagationFlags) mountWith('', target, '', flags & (propagationFlags | recursiveFlag), '');
    if (rest !== 0) mountWith('', target, '', remountFlag | bindFlag | rest, '');
  } catch (error) {
    unmount(target);
    throw error;
  }
}

/** Changes who sees later mounts below a mount point: `rprivate`, `rslave`, … */
export function setPropagation(target: string, propagation: 'rprivate' | 'rslave' | 'rshared'): void {
  mountWith('', target, '', flagOf[propagation] ?? 0, '');
}

function mountWith(source: string, target: string, type: string, flags: number, data: string): void {
  checked(mountCall(cString(source), cString(target), cString(type), flags, cString(data)), 'mount', target);
}

/** The mount API of Linux 5.2, one option a call: for overlays of so many layers that their names pass a page. */
function mountByFile(type: string, source: string, target: string, flags: number, data: readonly string[]): void {
  const context = checked(fsopenCall(calls.fsopen, cString(type), 1), 'fsopen', type);
  let mounted = -1;
  try {
    const set = (key: string, value: string) =>
      checked(
        fsconfigCall(calls.fsconfig, context, fsconfigSetString, cString(key), cString(value), 0),
        `fsconfig ${key}`,
        value,
      );
    set('source', source);
    for (const option of data) {
      const at = option.indexOf('=');
      if (option.startsWith('lowerdir=')) {
        // Since Linux 6.5 each layer may be added by itself; colons inside a name need no escape this way.
        for (const layer of option.slice(at + 1).split(':')) set('lowerdir+', layer);
      } else if (at < 0)
        checked(fsconfigCall(calls.fsconfig, context, fsconfigSetFlag, cString(option), null, 0), 'fsconfig', option);
      else set(option.slice(0, at), option.slice(at + 1));
    }
    if (flags & readOnlyFlag)
      checked(fsconfigCall(calls.fsconfig, context, fsconfigSetFlag, cString('ro'), null, 0), 'fsconfig', 'ro');
    checked(fsconfigCall(calls.fsconfig, context, fsconfigCreate, null, null, 0), 'fsconfig create', target);
    mounted = checked(fsmountCall(calls.fsmount, context, 1, flags & 15), 'fsmount', target);
    const moved = moveMountCall(calls.moveMount, mounted, cString(''), atCwd, cString(target), moveMountFromEmptyPath);
    checked(moved, 'move_mount', target);
  } finally {
    closeSync(context);
    if (mounted >= 0) closeSync(mounted);
  }
}

const detachFlag = 2;
const noFollowFlag = 8;

/** Takes the topmost mount off the target; at once, though the last user may keep it alive (MNT_DETACH). No error when there is none. */
export function unmount(target: string): void {
  const result = umountCall(cString(target), detachFlag | noFollowFlag);
  try {
    checked(result, 'umount2', target);
  } catch (error) {
    if (error instanceof SystemCallError && (error.code === 'EINVAL' || error.code === 'ENOENT')) return;
    throw error;
  }
}
