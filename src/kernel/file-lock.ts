import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { bind, checked, SystemCallError } from './system-call.ts';

const flock = bind('int flock(int fd, int operation)');
const exclusive = 2;
const nonBlocking = 4;

/** Somebody else holds the lock. */
export class LockHeldError extends Error {
  readonly holder: string;

  constructor(path: string, holder: string) {
    super(`cannot lock "${path}": it is held by process ${holder || '(unknown)'}`);
    this.name = 'LockHeldError';
    this.holder = holder;
  }
}

/**
 * Takes the lock file for this process until disposed or the process ends, however it ends: the kernel keeps the lock, the text
 * in the file only says by whom.
 */
export function lockFile(path: string): Disposable {
  const fd = openSync(path, 'a+', 0o600);
  try {
    checked(flock(fd, exclusive | nonBlocking), 'flock', path);
  } catch (error) {
    closeSync(fd);
    if (error instanceof SystemCallError && error.code === 'EAGAIN') {
      throw new LockHeldError(path, readFileSync(path, 'utf8').trim());
    }
    throw error;
  }
  ftruncateSync(fd);
  writeSync(fd, `${process.pid}\n`);
  return { [Symbol.dispose]: () => closeSync(fd) };
}
