import { Duplex } from 'node:stream';

/** A message that carries bytes; every `BytesMessage` of BuildKit's services has this form. */
export interface BytesMessage {
  readonly data: Uint8Array;
}

/** Pieces are cut to this size, which is what Go's side does too. Bytes. */
const pieceSize = 32 * 1024;

/**
 * A connection inside a bidi stream of byte messages: BuildKit's session runs HTTP/2 in it, an ssh agent its own protocol.
 * Give it the messages that come in and iterate `outgoing` for those that go out.
 */
export class Tunnel extends Duplex {
  readonly outgoing: AsyncIterable<BytesMessage>;
  readonly #queue: { readonly data: Uint8Array; readonly done: () => void }[] = [];
  readonly #incoming: AsyncIterator<BytesMessage>;
  #wake: (() => void) | undefined;
  #ended = false;
  #reading = false;

  /** The caller's side: `call` starts the stream with what goes out and gives what comes in. */
  static open(call: (outgoing: AsyncIterable<BytesMessage>) => AsyncIterable<BytesMessage>): Tunnel {
    const { promise, resolve } = Promise.withResolvers<AsyncIterable<BytesMessage>>();
    const tunnel = new Tunnel(later(promise));
    resolve(call(tunnel.outgoing));
    return tunnel;
  }

  constructor(incoming: AsyncIterable<BytesMessage>) {
    super({ allowHalfOpen: false, highWaterMark: 256 * 1024 });
    this.#incoming = incoming[Symbol.asyncIterator]();
    this.outgoing = this.#outgoing();
    this.once('close', () => this.#end());
  }

  override _read(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#pull().catch((error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))));
  }

  async #pull(): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await this.#incoming.next();
        if (done) {
          this.push(null);
          return;
        }
        if (!this.push(value.data)) return;
      }
    } finally {
      this.#reading = false;
    }
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#push(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#push(
      chunks.length === 1 && chunks[0] ? chunks[0].chunk : Buffer.concat(chunks.map(({ chunk }) => chunk)),
      done,
    );
  }

  #push(data: Uint8Array, done: () => void): void {
    this.#queue.push({ data, done });
    this.#wake?.();
  }

  override _final(done: () => void): void {
    this.#end();
    done();
  }

  #end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *#outgoing(): AsyncGenerator<BytesMessage, void> {
    try {
      for (;;) {
        const next = this.#queue.shift();
        if (next) {
          for (let at = 0; at < next.data.length; at += pieceSize)
            yield { data: next.data.subarray(at, at + pieceSize) };
          next.done();
        } else if (this.#ended) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          this.#wake = undefined;
        }
      }
    } finally {
      this.destroy();
    }
  }
}

async function* later<T>(iterable: Promise<AsyncIterable<T>>): AsyncGenerator<T, void> {
  yield* await iterable;
}
