import { closeSync, fstatSync, readFileSync, readSync } from 'node:fs';
import { SlipwayError, systemErrorCode } from '../base/errors.ts';
import { openFlags, openInRoot } from '../kernel/open-in-root.ts';

const nonBlocking = 0o4000;
const defaultLimit = 16 * 1024 * 1024;

/** A regular file inside a root, or undefined when there is none. Never leaves the root, never waits on a fifo. */
export function readInRoot(root: string, path: string, limit = defaultLimit): Buffer | undefined {
  return withFile(root, path, (fd, size) => {
    if (size <= limit) return readFileSync(fd);
    throw new SlipwayError(
      'resource-exhausted',
      `cannot read ${JSON.stringify(path)}: it has ${size} bytes, the limit is ${limit}`,
    );
  });
}

/** Its first bytes, however large it is. */
export function readStartInRoot(root: string, path: string, length: number): Buffer | undefined {
  return withFile(root, path, (fd) => {
    const buffer = Buffer.alloc(length);
    return buffer.subarray(0, readSync(fd, buffer, 0, length, 0));
  });
}

function withFile<T>(root: string, path: string, read: (fd: number, size: number) => T): T | undefined {
  let fd: number;
  try {
    fd = openInRoot(root, path, openFlags.readOnly | nonBlocking);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    return stat.isFile() ? read(fd, stat.size) : undefined;
  } finally {
    closeSync(fd);
  }
}

export function readTextInRoot(root: string, path: string): string | undefined {
  return readInRoot(root, path)?.toString('utf8');
}
