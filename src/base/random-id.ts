import { closeSync, openSync, readSync } from 'node:fs';

/** Random bytes as hex digits, two for each; from the kernel itself, since loading `node:crypto` takes milliseconds of a command's start. */
export function randomId(bytes = 16): string {
  const buffer = Buffer.allocUnsafe(bytes);
  const fd = openSync('/dev/urandom', 'r');
  try {
    readSync(fd, buffer, 0, bytes, null);
  } finally {
    closeSync(fd);
  }
  return buffer.toString('hex');
}
