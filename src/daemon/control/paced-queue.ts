import { AsyncQueue } from '../../base/async.ts';

/** Items on their way to whoever iterates; a push resolves when its item was taken, so that its maker can be held back. */
export class PacedQueue<T> implements AsyncIterable<T> {
  readonly #items = new AsyncQueue<{ readonly item: T; readonly taken: () => void }>();
  readonly #held = new Set<() => void>();
  #closed = false;

  push(item: T): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const taken = () => {
        this.#held.delete(taken);
        resolve();
      };
      this.#held.add(taken);
      this.#items.push({ item, taken });
    });
  }

  /** No more items: what is still on its way arrives. */
  end(): void {
    this.#items.end();
  }

  /** Nobody listens any more; nobody is held back either. */
  close(): void {
    this.#closed = true;
    this.#items.end();
    for (const release of this.#held) release();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for await (const { item, taken } of this.#items) {
      yield item;
      taken();
    }
  }
}
