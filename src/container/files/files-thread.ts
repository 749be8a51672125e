import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AsyncQueue } from '../../base/async.ts';
import { type ErrorCode, SlipwayError } from '../../base/errors.ts';
import type { FilesInput, FilesJob, FilesMessage, FilesTask, FilesView } from './files-job.ts';

const mostPending = 8;

/**
 * One task on a container's files, in a thread whose root directory is the container's. Gives what the thread says; the consumer sets its
 * pace. The thread ends with the iteration.
 */
export async function* runInThread(
  view: FilesView,
  task: FilesTask,
  input?: AsyncIterable<Uint8Array>,
): AsyncGenerator<Exclude<FilesMessage, { kind: 'end' | 'error' | 'taken' }>, void> {
  const pending = new SharedArrayBuffer(4);
  const counter = new Int32Array(pending);
  const workerData: FilesJob = { view, task, pending, mostPending };
  // Beside this file as a source, or beside the bundle as an entry of its own.
  const worker = new Worker(new URL(`./files-worker${extname(import.meta.url)}`, import.meta.url), {
    workerData,
    // Node remarks on descriptors that were opened by a system call of ours.
    execArgv: ['--no-warnings'],
  });
  const messages = new AsyncQueue<FilesMessage>();
  const feed = new Feed(worker);
  worker.on('message', (message: FilesMessage) => (message.kind === 'taken' ? feed.taken() : messages.push(message)));
  worker.on('error', (error) => messages.fail(error));
  worker.on('exit', () => messages.end());
  if (input) feed.run(input).catch((error: unknown) => messages.fail(error));
  try {
    for await (const message of messages) {
      if (message.kind === 'end') return;
      if (message.kind === 'error') throw failureOf(message);
      if (message.kind !== 'taken') yield message;
      if (message.kind !== 'piece') continue;
      Atomics.sub(counter, 0, 1);
      Atomics.notify(counter, 0);
    }
    throw new SlipwayError('internal', 'cannot work on the files of the container: the thread ended early');
  } finally {
    feed.stop();
    await worker.terminate();
  }
}

/** Classes do not cross between threads; what callers switch on does. */
function failureOf({ code, message, hint }: Extract<FilesMessage, { kind: 'error' }>): Error {
  if (code !== undefined && !/^E[A-Z0-9]+$/.test(code)) return new SlipwayError(code as ErrorCode, message, { hint });
  return Object.assign(new Error(message), { code });
}

/** Sends an archive to the thread, a few pieces ahead of what it has taken. */
class Feed {
  readonly #worker: Worker;
  #ahead = 0;
  #wake: (() => void) | undefined;
  #stopped = false;

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  async run(input: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const piece of input) {
      while (this.#ahead >= mostPending && !this.#stopped)
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      if (this.#stopped) return;
      this.#ahead++;
      this.#worker.postMessage(piece satisfies FilesInput);
    }
    this.#worker.postMessage('end' satisfies FilesInput);
  }

  taken(): void {
    this.#ahead--;
    this.#wake?.();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }
}
