export interface HeldLock {
  /** No error the second time. */
  release(): void;
}

/** Mutual exclusion by name: one holder a name, the others wait in order. */
export class KeyedLock {
  readonly #waiting = new Map<string, (() => void)[]>();

  /** The lock if nobody has it. */
  tryAcquire(key: string): HeldLock | undefined {
    if (this.#waiting.has(key)) return undefined;
    this.#waiting.set(key, []);
    return this.#held(key);
  }

  async acquire(key: string, signal?: AbortSignal): Promise<HeldLock> {
    const queue = this.#waiting.get(key);
    if (queue) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const abort = () => {
        queue.splice(queue.indexOf(resolve), 1);
        reject(signal?.reason);
      };
      queue.push(resolve);
      signal?.addEventListener('abort', abort, { once: true });
      await promise;
      signal?.removeEventListener('abort', abort);
    } else this.#waiting.set(key, []);
    return this.#held(key);
  }

  #held(key: string): HeldLock {
    let held = true;
    return {
      release: () => {
        if (!held) return;
        held = false;
        const next = this.#waiting.get(key)?.shift();
        if (next) next();
        else this.#waiting.delete(key);
      },
    };
  }
}
