import { Worker } from 'node:worker_threads';
import { type ErrorCode, SlipwayError } from '../base/errors.ts';
import type { BulkTask, BulkTasks } from './bulk-tasks.ts';
import type { BulkAnswer, BulkRequest } from './bulk-worker.ts';

interface Thread {
  readonly worker: Worker;
  busy: boolean;
}

interface Pending {
  readonly request: BulkRequest;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

type Answer<K extends BulkTask> = Awaited<ReturnType<BulkTasks[K]>>;

/** Runs bulk tasks in worker threads: at most `size` at once, the others wait in order. Threads are started when first needed. */
export class BulkPool {
  readonly #size: number;
  readonly #threads: Thread[] = [];
  readonly #waiting: Pending[] = [];
  readonly #running = new Map<number, Pending & { readonly thread: Thread }>();
  #count = 0;

  constructor(size: number) {
    this.#size = size;
  }

  run<K extends BulkTask>(task: K, ...args: Parameters<BulkTasks[K]>): Promise<Answer<K>> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer<K>>();
    this.#waiting.push({ request: { id: ++this.#count, task, args }, resolve, reject });
    this.#next();
    return promise;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map(({ worker }) => worker.terminate()));
  }

  #next(): void {
    const thread =
      this.#threads.find(({ busy }) => !busy) ?? (this.#threads.length < this.#size ? this.#start() : undefined);
    const pending = thread && this.#waiting.shift();
    if (!thread || !pending) return;
    thread.busy = true;
    thread.worker.ref();
    this.#running.set(pending.request.id, { ...pending, thread });
    thread.worker.postMessage(pending.request);
  }

  #start(): Thread {
    // The bundle has its worker beside it under the bundle's own ending.
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./bulk-worker.${ending}`, import.meta.url), {
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    const thread: Thread = { worker, busy: false };
    worker.unref();
    worker.on('message', (answer: BulkAnswer) => this.#settle(thread, answer));
    worker.on('error', (error) => this.#lose(thread, error instanceof Error ? error : new Error(String(error))));
    this.#threads.push(thread);
    return thread;
  }

  #settle(thread: Thread, answer: BulkAnswer): void {
    const pending = this.#running.get(answer.id);
    this.#running.delete(answer.id);
    thread.busy = false;
    thread.worker.unref();
    if (pending && 'error' in answer) pending.reject(revive(answer.error));
    else if (pending && 'result' in answer) pending.resolve(answer.result as never);
    this.#next();
  }

  #lose(thread: Thread, error: Error): void {
    this.#threads.splice(this.#threads.indexOf(thread), 1);
    for (const [id, pending] of this.#running) {
      if (pending.thread !== thread) continue;
      this.#running.delete(id);
      pending.reject(error);
    }
    this.#next();
  }
}

function revive({ message, code, hint, slipway, path }: Extract<BulkAnswer, { error: unknown }>['error']): Error {
  if (slipway) return new SlipwayError(code as ErrorCode, message, { hint });
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SlipwayError('resource-exhausted', `the disk is full: ${message}`, {
      hint: 'free some space, for example with slipway system prune, and try again',
    });
  }
  if (code === 'EACCES' && path !== undefined) {
    return new SlipwayError('permission-denied', `cannot read "${path}": permission denied`, {
      hint: 'what the build does not need can be left out by .dockerignore',
    });
  }
  return Object.assign(new Error(message), { code });
}
