import type { ContainerState } from './container-record.ts';

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

interface Waiter {
  readonly id: string;
  readonly removal: boolean;
  readonly resolve: (state: ContainerState) => void;
}

/** Who waits for the end of a container's process, or of the container. */
export class ExitWaiters {
  readonly #waiters = new Set<Waiter>();

  /** Rejects with the signal's reason once it fires. */
  wait(id: string, kind: 'exit' | 'removal', signal?: AbortSignal): Promise<ContainerState> {
    const { promise, resolve, reject } = Promise.withResolvers<ContainerState>();
    const waiter: Waiter = { id, removal: kind === 'removal', resolve };
    this.#waiters.add(waiter);
    const abort = () => {
      this.#waiters.delete(waiter);
      reject(signal?.reason);
    };
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
    return promise.finally(() => signal?.removeEventListener('abort', abort));
  }

  exited(id: string, state: ContainerState): void {
    this.#settle(state, (waiter) => waiter.id === id && !waiter.removal);
  }

  /** Ends every wait: nothing more will happen to the container. */
  removed(id: string, state: ContainerState): void {
    this.#settle(state, (waiter) => waiter.id === id);
  }

  #settle(state: ContainerState, which: (waiter: Waiter) => boolean): void {
    for (const waiter of this.#waiters) {
      if (!which(waiter)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(state);
    }
  }
}
