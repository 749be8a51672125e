import { closeSync, readlinkSync } from 'node:fs';
import { bind, checked, cString } from './system-call.ts';

const openat2 = bind('long syscall(long number, int dirfd, const void *path, const void *how, size_t size)');
const openCall = bind('int open(const void *path, int flags, uint32_t mode)');

/** asm-generic/unistd.h, linux/openat2.h, fcntl.h */
const openat2Number = 437;
const resolveInRoot = 0x10n;
const resolveNoMagicLinks = 0x02n;

export const openFlags = {
  readOnly: 0,
  writeOnly: 1,
  create: 0o100,
  exclusive: 0o200,
  directory: 0o200000,
  noFollow: 0o400000,
  closeOnExec: 0o2000000,
  path: 0o10000000,
} as const;

/**
 * Opens a path as a process would whose root is `root`: no `..`, symlink or magic link leads out of it (openat2(2),
 * RESOLVE_IN_ROOT). The caller closes the descriptor.
 */
export function openInRoot(root: string, path: string | Uint8Array, flags: number, mode = 0): number {
  const directory = checked(
    openCall(cString(root), openFlags.path | openFlags.directory | openFlags.closeOnExec, 0),
    'open',
    root,
  );
  try {
    return openBelow(directory, path, flags, mode);
  } finally {
    closeSync(directory);
  }
}

/** The same with the root already open. */
export function openBelow(rootFd: number, path: string | Uint8Array, flags: number, mode = 0): number {
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(flags | openFlags.closeOnExec), 0);
  how.writeBigUInt64LE(BigInt(mode), 8);
  how.writeBigUInt64LE(resolveInRoot | resolveNoMagicLinks, 16);
  return checked(
    openat2(openat2Number, rootFd, cString(path), how, how.length),
    'openat2',
    Buffer.from(path as string).toString(),
  );
}

/**
 * Where a path inside `root` lies on the host, every symlink of it resolved inside the root. Only as safe as the tree is
 * quiet: use it on trees that no running process can change. Throws ENOENT when the file is missing.
 */
export function resolveInRootPath(root: string, path: string | Uint8Array, followLast = true): string {
  const fd = openInRoot(root, path, openFlags.path | (followLast ? 0 : openFlags.noFollow));
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}
