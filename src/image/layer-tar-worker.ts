import { parentPort, workerData } from 'node:worker_threads';
import { type LayerTarOptions, writeLayerTar } from '../archive/layer-tar.ts';
import { errorMessage, SlipwayError } from '../base/errors.ts';

/** What the thread of `streamLayerTar` is given, and what it sends: pieces of the tar, then its end or its failure. */
export interface LayerTarJob {
  readonly directory: string;
  readonly options: LayerTarOptions;
  /** One Int32: the pieces that were sent and not yet consumed. */
  readonly pending: SharedArrayBuffer;
  readonly mostPending: number;
}

export type LayerTarMessage =
  | { readonly kind: 'piece'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly code: string; readonly message: string };

function run(
  { directory, options, pending, mostPending }: LayerTarJob,
  send: (message: LayerTarMessage, bytes?: ArrayBuffer) => void,
): void {
  const counter = new Int32Array(pending);
  const sink = (bytes: Buffer) => {
    while (Atomics.load(counter, 0) >= mostPending) Atomics.wait(counter, 0, mostPending);
    Atomics.add(counter, 0, 1);
    const copy = new Uint8Array(bytes);
    send({ kind: 'piece', bytes: copy }, copy.buffer);
  };
  writeLayerTar(directory, sink, options);
  send({ kind: 'end' });
}

const port = parentPort;
if (port) {
  const send = (message: LayerTarMessage, bytes?: ArrayBuffer) => port.postMessage(message, bytes ? [bytes] : []);
  try {
    run(workerData as LayerTarJob, send);
  } catch (error) {
    send({
      kind: 'error',
      code: error instanceof SlipwayError ? error.code : 'internal',
      message: errorMessage(error),
    });
  }
}
