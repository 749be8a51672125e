import { readFileSync } from 'node:fs';
import { bind, checked } from '../kernel/system-call.ts';

const prctl = bind('int prctl(int option, unsigned long value, unsigned long a, unsigned long b, unsigned long c)');
const waitpid = bind('int waitpid(int pid, _Out_ void *status, int options)');
const setChildSubreaper = 36;
const noHang = 1;

/**
 * Adopts the orphans among this process's descendants, instead of pid 1, so that their exit status can be had. All of them are waited for:
 * one that stays a zombie keeps its container's pid namespace, and so the container, from ending.
 */
export class Reaper {
  readonly #isOwnChild: (pid: number) => boolean;
  readonly #waiting = new Map<number, (code: number) => void>();
  /** Those that ended before anybody knew their number, while a start is under way. */
  readonly #unclaimed = new Map<number, number>();
  #claims = 0;

  /** @param isOwnChild which children somebody else waits for: those that Node started. */
  constructor(isOwnChild: (pid: number) => boolean) {
    this.#isOwnChild = isOwnChild;
    checked(prctl(setChildSubreaper, 1, 0, 0, 0), 'prctl');
    process.on('SIGCHLD', () => this.#reap());
  }

  /** Before a process is started that will be orphaned: from now on no end is missed. Answers how to wait for it, once its number is known, or to give up. */
  expect(): { readonly exited: (pid: number) => Promise<number>; readonly forget: () => void } {
    this.#claims++;
    const forget = () => {
      this.#claims--;
      if (this.#claims === 0) this.#unclaimed.clear();
    };
    return { exited: (pid) => this.#wait(pid).finally(forget), forget };
  }

  /** The exit code as a shell gives it. */
  #wait(pid: number): Promise<number> {
    const code = this.#unclaimed.get(pid);
    if (code !== undefined) return Promise.resolve(code);
    return new Promise((resolve) => {
      this.#waiting.set(pid, resolve);
      this.#reap();
    });
  }

  #reap(): void {
    const status = Buffer.alloc(4);
    for (const pid of children()) {
      if (this.#isOwnChild(pid) || waitpid(pid, status, noHang) !== pid) continue;
      const code = shellCode(status.readUInt32LE());
      const waiting = this.#waiting.get(pid);
      this.#waiting.delete(pid);
      if (waiting) waiting(code);
      else if (this.#claims > 0) this.#unclaimed.set(pid, code);
    }
  }
}

function children(): number[] {
  const list = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8');
  return list.split(' ').flatMap((word) => (word ? [Number(word)] : []));
}

function shellCode(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}
