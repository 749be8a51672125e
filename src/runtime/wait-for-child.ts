import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { bind, checked, SystemCallError } from '../kernel/system-call.ts';

const prctl = bind('int prctl(int option, unsigned long value, unsigned long a, unsigned long b, unsigned long c)');
const waitpid = bind('int waitpid(int pid, _Out_ void *status, int options)');
const setChildSubreaper = 36;
const noHang = 1;
/** ECHILD */
const noChild = 10;

/** Makes orphaned descendants children of this process instead of pid 1's, so that their exit status can be had. */
export function becomeSubreaper(): void {
  checked(prctl(setChildSubreaper, 1, 0, 0, 0), 'prctl');
}

/** False also while it is not adopted yet: its parent has told of its own end, but may be a moment from it. */
function hasEnded(pid: number, status: Buffer): boolean {
  try {
    return checked(waitpid(pid, status, noHang), 'waitpid') !== 0;
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === noChild && existsSync(`/proc/${pid}`)) return false;
    throw error;
  }
}

/** Waits for an adopted child; its exit code as a shell gives it. Node waits only for the children that it started itself. */
export async function waitForChild(pid: number): Promise<number> {
  const status = Buffer.alloc(4);
  let wake = () => {};
  const onSignal = () => wake();
  process.on('SIGCHLD', onSignal);
  try {
    while (!hasEnded(pid, status)) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([changed, sleep(200)]);
    }
  } finally {
    process.off('SIGCHLD', onSignal);
  }
  const word = status.readUInt32LE();
  const signal = word & 0x7f;
  return signal === 0 ? (word >> 8) & 0xff : 128 + signal;
}
