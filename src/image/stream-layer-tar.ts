import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { LayerTarOptions } from '../archive/layer-tar.ts';
import { AsyncQueue } from '../base/async.ts';
import { type ErrorCode, SlipwayError } from '../base/errors.ts';
import type { LayerTarJob, LayerTarMessage } from './layer-tar-worker.ts';

const mostPending = 8;

/** A layer directory's tar, written in a thread of its own so that the daemon goes on; the consumer sets the pace. */
export async function* streamLayerTar(
  directory: string,
  options: LayerTarOptions = {},
): AsyncGenerator<Uint8Array, void> {
  const pending = new SharedArrayBuffer(4);
  const counter = new Int32Array(pending);
  const workerData: LayerTarJob = { directory, options, pending, mostPending };
  // Beside this file as a source, or beside the bundle as an entry of its own.
  const worker = new Worker(new URL(`./layer-tar-worker${extname(import.meta.url)}`, import.meta.url), { workerData });
  const messages = new AsyncQueue<LayerTarMessage>();
  worker.on('message', (message: LayerTarMessage) => messages.push(message));
  worker.on('error', (error) => messages.fail(error));
  worker.on('exit', () => messages.end());
  try {
    for await (const message of messages) {
      if (message.kind === 'end') return;
      if (message.kind === 'error') throw new SlipwayError(message.code as ErrorCode, message.message);
      yield message.bytes;
      Atomics.sub(counter, 0, 1);
      Atomics.notify(counter, 0);
    }
    throw new SlipwayError('internal', `cannot write the tar of layer "${directory}": its thread ended early`);
  } finally {
    await worker.terminate();
  }
}
