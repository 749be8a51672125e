import { abortable } from '../base/async.ts';

interface Running<T> {
  readonly promise: Promise<T>;
  readonly abort: AbortController;
  waiters: number;
}

/**
 * Work that is done once for all who ask at the same time. A caller that gives up leaves the others undisturbed; the work is
 * aborted when the last one has gone. Nothing is remembered after the end.
 */
export class SharedTasks<T> {
  readonly #running = new Map<string, Running<T>>();

  async run(key: string, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    const task = this.#running.get(key) ?? this.#start(key, work);
    task.waiters++;
    try {
      return await abortable(task.promise, signal);
    } finally {
      if (--task.waiters === 0) {
        this.#forget(key, task);
        task.abort.abort(signal?.reason);
      }
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Running<T> {
    const abort = new AbortController();
    const promise = work(abort.signal);
    const task: Running<T> = { promise, abort, waiters: 0 };
    this.#running.set(key, task);
    // The waiters hear of a failure; one that comes after they left is nobody's.
    promise.then(
      () => this.#forget(key, task),
      () => this.#forget(key, task),
    );
    return task;
  }

  #forget(key: string, task: Running<T>): void {
    if (this.#running.get(key) === task) this.#running.delete(key);
  }
}
