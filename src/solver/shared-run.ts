import { abortable } from '../base/async.ts';
import type { Node } from './node.ts';
import type { Handle, OpContext } from './op.ts';

/**
 * One execution on which any number of nodes wait: vertices of different builds that came to the same cache key. What it
 * shows goes to all of them; it is cancelled when the last one has gone.
 */
export class SharedRun<T> {
  readonly #waiters = new Set<Node<T>>();
  readonly #aborter = new AbortController();
  readonly #done: Promise<readonly Handle<T>[]>;
  /** What was shown so far, for those who join later. */
  readonly #shown: ((context: OpContext) => void)[] = [];

  /** `onEnd` is called, perhaps twice, once nobody may join any more: the work ended or was cancelled. */
  constructor(work: (context: OpContext) => Promise<readonly Handle<T>[]>, onEnd: () => void) {
    this.#aborter.signal.addEventListener('abort', onEnd, { once: true });
    // The work starts in the next turn, so that its first waiter is there to see everything it shows.
    this.#done = Promise.resolve()
      .then(() => work(this.#context()))
      .finally(onEnd);
    this.#done.then(
      // Every waiter takes its own hold when the promise resolves; this run's is given up after them.
      (handles) =>
        setImmediate(() => {
          for (const handle of handles) handle.release();
        }),
      () => {
        // Each waiter gets the error from its own wait.
      },
    );
  }

  async wait(node: Node<T>): Promise<readonly Handle<T>[]> {
    this.#waiters.add(node);
    node.progress.started();
    const context = this.#contextOf(node);
    for (const show of this.#shown) show(context);
    const leave = () => {
      this.#waiters.delete(node);
      if (this.#waiters.size === 0) this.#aborter.abort(node.signal.reason);
    };
    node.signal.addEventListener('abort', leave, { once: true });
    try {
      // A node that is no longer wanted still waits for the end of the work that it stopped: nothing may be left behind.
      const handles = await (this.#waiters.size > 1 ? abortable(this.#done, node.signal) : this.#done);
      return handles.map((handle) => handle.clone());
    } finally {
      node.signal.removeEventListener('abort', leave);
    }
  }

  #contextOf(node: Node<T>): OpContext {
    return node.progress.context(node.signal, () => node.sessions());
  }

  #context(): OpContext {
    const show = (what: (context: OpContext) => void) => {
      this.#shown.push(what);
      for (const node of this.#waiters) what(this.#contextOf(node));
    };
    return {
      signal: this.#aborter.signal,
      sessions: () => [...this.#waiters].flatMap((node) => node.sessions()),
      log: (stream, bytes) => show((context) => context.log(stream, bytes)),
      status: (id, progress) => show((context) => context.status(id, progress)),
      settled: () => show((context) => context.settled()),
      warn: (message) => show((context) => context.warn(message)),
    };
  }
}
