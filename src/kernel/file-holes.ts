import { fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { bind, checked, SystemCallError } from './system-call.ts';

const lseek = bind('int64_t lseek(int fd, int64_t offset, int whence)');
const copyFileRange = bind(
  'long copy_file_range(int from, void *fromOffset, int to, void *toOffset, size_t length, unsigned int flags)',
);

/** unistd.h */
const seekSet = 0;
const seekData = 3;
const seekHole = 4;

/** Most that one call copies; the kernel takes no more than 2 GiB. */
const largestCopy = 1 << 30;

/** What copy_file_range answers where it cannot do it: other file systems, old kernels, special files. */
const cannotCopy = new Set(['EXDEV', 'EINVAL', 'ENOSYS', 'EOPNOTSUPP', 'ENOTSUP', 'EBADF', 'EPERM']);

/** Copies an open file's bytes into an empty one, within the kernel where it can; holes stay holes. */
export function copyFileContents(from: number, to: number): void {
  const { size } = fstatSync(from);
  for (let at = 0; at < size; ) {
    const start = nextData(from, at, size);
    if (start >= size) break;
    const end = Math.min(checked(lseek(from, start, seekHole), 'lseek'), size);
    copyRange(from, to, start, end);
    at = end;
  }
  ftruncateSync(to, size);
}

function nextData(fd: number, at: number, size: number): number {
  const found = lseek(fd, at, seekData);
  if (found >= 0) return found;
  try {
    return checked(found, 'lseek');
  } catch (error) {
    // Nothing but a hole up to the end.
    if (error instanceof SystemCallError && error.code === 'ENXIO') return size;
    throw error;
  }
}

function copyRange(from: number, to: number, start: number, end: number): void {
  checked(lseek(from, start, seekSet), 'lseek');
  checked(lseek(to, start, seekSet), 'lseek');
  for (let at = start; at < end; ) {
    const count = copyFileRange(from, null, to, null, Math.min(end - at, largestCopy), 0);
    if (count > 0) at += count;
    else if (count === 0) return;
    else {
      copyByHand(from, to, at, end, count);
      return;
    }
  }
}

function copyByHand(from: number, to: number, start: number, end: number, failure: number): void {
  try {
    checked(failure, 'copy_file_range');
  } catch (error) {
    if (!(error instanceof SystemCallError && cannotCopy.has(error.code))) throw error;
  }
  const buffer = Buffer.allocUnsafe(Math.min(end - start, 1 << 20));
  for (let at = start; at < end; ) {
    const count = readSync(from, buffer, 0, Math.min(buffer.length, end - at), at);
    if (count === 0) return;
    for (let done = 0; done < count; ) done += writeSync(to, buffer, done, count - done, at + done);
    at += count;
  }
}
