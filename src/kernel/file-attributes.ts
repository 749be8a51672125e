import { bind, checked, cString, SystemCallError } from './system-call.ts';

const lgetxattr = bind('long lgetxattr(const void *path, const char *name, _Out_ void *value, size_t size)');
const lsetxattr = bind('int lsetxattr(const void *path, const char *name, const void *value, size_t size, int flags)');
const llistxattr = bind('long llistxattr(const void *path, _Out_ void *list, size_t size)');
const mknodCall = bind('int mknod(const void *path, uint32_t mode, uint64_t dev)');
const utimensat = bind('int utimensat(int dirfd, const void *path, const void *times, int flags)');

const atCwd = -100;
const noFollow = 0x100;

type Path = string | Uint8Array;
const textOf = (path: Path) => Buffer.from(path as string).toString();

/** An extended attribute of the file itself, not of what a symlink names; undefined when it has none of that name. */
export function getXattr(path: Path, name: string): Buffer | undefined {
  const value = Buffer.alloc(64 * 1024);
  const size = lgetxattr(cString(path), name, value, value.length);
  if (size >= 0) return value.subarray(0, size);
  return absent(() => checked(-1, 'lgetxattr', textOf(path)));
}

export function setXattr(path: Path, name: string, value: Uint8Array): void {
  checked(lsetxattr(cString(path), name, value, value.length, 0), `lsetxattr ${name}`, textOf(path));
}

const listBuffer = Buffer.alloc(64 * 1024);

/** Names of the file's extended attributes; none where the file system has no such thing. */
export function listXattrs(path: Path): string[] {
  const size = llistxattr(cString(path), listBuffer, listBuffer.length);
  if (size < 0) {
    absent(() => checked(-1, 'llistxattr', textOf(path)));
    return [];
  }
  return size === 0 ? [] : listBuffer.toString('utf8', 0, size - 1).split('\0');
}

function absent(fail: () => unknown): undefined {
  try {
    fail();
  } catch (error) {
    if (error instanceof SystemCallError && (error.code === 'ENODATA' || error.code === 'ENOTSUP')) return undefined;
    throw error;
  }
  return undefined;
}

/** stat.h's types for mknod. */
export const nodeTypes = {
  fifo: 0o010000,
  characterDevice: 0o020000,
  blockDevice: 0o060000,
  socket: 0o140000,
} as const;

/** Makes a device, fifo or socket file; `mode` with one of nodeTypes. */
export function makeNode(path: Path, mode: number, major = 0, minor = 0): void {
  checked(mknodCall(cString(path), mode, deviceNumber(major, minor)), 'mknod', textOf(path));
}

/** The kernel's 64-bit device number (sys/sysmacros.h, makedev). */
export function deviceNumber(major: number, minor: number): bigint {
  const [a, b] = [BigInt(major), BigInt(minor)];
  return ((a & 0xfffff000n) << 32n) | ((a & 0xfffn) << 8n) | ((b & 0xffffff00n) << 12n) | (b & 0xffn);
}

export function deviceMajor(device: bigint): number {
  return Number(((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn));
}

export function deviceMinor(device: bigint): number {
  return Number(((device >> 12n) & 0xffffff00n) | (device & 0xffn));
}

const times = Buffer.alloc(32);

/** Sets the modification time in nanoseconds since 1970, negative ones too, of the file itself; the access time becomes the same. */
export function setModificationTime(path: Path, nanoseconds: bigint): void {
  const billion = 1_000_000_000n;
  const rest = ((nanoseconds % billion) + billion) % billion;
  const seconds = (nanoseconds - rest) / billion;
  for (const at of [0, 16]) {
    times.writeBigInt64LE(seconds, at);
    times.writeBigInt64LE(rest, at + 8);
  }
  checked(utimensat(atCwd, cString(path), times, noFollow), 'utimensat', textOf(path));
}
