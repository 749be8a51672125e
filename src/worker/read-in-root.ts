import { closeSync, fstatSync, readFileSync } from 'node:fs';
import { SlipwayError, systemErrorCode } from '../base/errors.ts';
import { openFlags, openInRoot } from '../kernel/open-in-root.ts';

const nonBlocking = 0o4000;
const defaultLimit = 16 * 1024 * 1024;

/** A regular file inside a root, or undefined when there is none. Never leaves the root, never waits on a fifo. */
export function readInRoot(root: string, path: string, limit = defaultLimit): Buffer | undefined {
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
    if (!stat.isFile()) return undefined;
    if (stat.size > limit) {
      throw new SlipwayError(
        'resource-exhausted',
        `cannot read ${JSON.stringify(path)}: it has ${stat.size} bytes, the limit is ${limit}`,
      );
    }
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function readTextInRoot(root: string, path: string): string | undefined {
  return readInRoot(root, path)?.toString('utf8');
}
