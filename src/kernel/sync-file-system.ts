import { closeSync, openSync } from 'node:fs';
import { bindAsync } from './system-call.ts';

const syncfs = bindAsync('int syncfs(int fd)', 'syncfs');

/** Waits, off the event loop, until all that was written to the file system of `path` is on its disk (syncfs(2)). */
export async function syncFileSystem(path: string): Promise<void> {
  const fd = openSync(path, 'r');
  try {
    await syncfs(fd);
  } finally {
    closeSync(fd);
  }
}
