import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { setPropagation } from './mounting.ts';
import { bind, checked, cString } from './system-call.ts';

const unshareCall = bind('int unshare(int flags)');
const setnsCall = bind('int setns(int fd, int type)');
const chrootCall = bind('int chroot(const void *path)');
const chdirCall = bind('int chdir(const void *path)');

/** linux/sched.h */
const cloneFs = 0x200;
const cloneNewNamespace = 0x20000;

/** Undefined where it may not be known. */
function namespaceOf(process: string): number | undefined {
  try {
    return statSync(`/proc/${process}/ns/mnt`).ino;
  } catch {
    return undefined;
  }
}

/**
 * Gives the calling thread, and no other, a root directory and a mount namespace of its own: what it mounts is nobody else's and ends
 * with it. From then on only synchronous file calls may be made on it: others go to threads that see the host. Not to be undone.
 */
export function leaveSharedRoot(): void {
  checked(unshareCall(cloneFs | cloneNewNamespace), 'unshare');
  setPropagation('/', 'rprivate');
}

/** The calling thread sees the files as a process does, its volumes included. Throws ESRCH when that is not a container's. */
export function enterMountNamespace(pid: number): void {
  checked(unshareCall(cloneFs), 'unshare');
  const hosts = [namespaceOf('thread-self'), namespaceOf('1')];
  const fd = openSync(`/proc/${pid}/ns/mnt`, 'r');
  try {
    // A number that was given away again may be anybody's.
    if (hosts.includes(fstatSync(fd).ino))
      throw Object.assign(new Error(`process ${pid} has no file system of its own`), { code: 'ESRCH' });
    checked(setnsCall(fd, cloneNewNamespace), 'setns');
  } finally {
    closeSync(fd);
  }
}

/** No path leads the calling thread out of the directory any more. After `leaveSharedRoot`. */
export function changeRoot(directory: string): void {
  checked(chrootCall(cString(directory)), 'chroot', directory);
  checked(chdirCall(cString('/')), 'chdir', '/');
}
