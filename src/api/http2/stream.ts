import type { HeaderList } from './headers.ts';
import { errorCode } from './http2-error.ts';
import { receiveWindow } from './windows.ts';

/** What a stream needs of its connection. */
export interface StreamCarrier {
  sendHeaders(stream: Http2Stream, headers: HeaderList, endStream: boolean): void;
  sendReset(stream: Http2Stream, code: number): void;
  /** There is data to send, or an end. */
  wake(stream: Http2Stream): void;
  /** The reader took bytes: more may come. */
  credit(stream: Http2Stream, bytes: number): void;
  /** Both directions have ended. */
  closed(stream: Http2Stream): void;
}

/** Writers wait when more than this waits to be sent, until half of it is gone. Bytes. */
const sendLimit = 256 * 1024;

/**
 * One exchange on a connection: headers, data and trailers each way. Iterating gives the data that comes in; whoever stops early can
 * still answer. Iterating throws when the other side resets the stream or the connection is lost before the end.
 */
export class Http2Stream implements AsyncIterable<Buffer> {
  readonly id: number;
  /** Bytes that may still be sent. */
  sendWindow: number;
  /** Bytes that the other side may still send. */
  receiveWindow = receiveWindow;
  /** Bytes that the reader took and the other side has not been told of. */
  uncredited = 0;
  /** The first headers that came. */
  headers: HeaderList | undefined;
  trailers: HeaderList | undefined;
  /** Nothing more comes. */
  remoteEnded = false;
  headersSent = false;
  readonly #carrier: StreamCarrier;
  readonly #closed = Promise.withResolvers<void>();
  readonly #incoming: Buffer[] = [];
  readonly #outgoing: Buffer[] = [];
  #outgoingSize = 0;
  #writer: PromiseWithResolvers<void> | undefined;
  #reader: (() => void) | undefined;
  #ending: { readonly trailers: HeaderList | undefined } | undefined;
  #localEnded = false;
  #failure: Error | undefined;
  #isClosed = false;

  constructor(id: number, sendWindow: number, carrier: StreamCarrier) {
    this.id = id;
    this.sendWindow = sendWindow;
    this.#carrier = carrier;
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  /** Resolves when the stream is over, however it went. */
  get whenClosed(): Promise<void> {
    return this.#closed.promise;
  }

  /** May be written to. */
  get writable(): boolean {
    return !this.#isClosed && this.#ending === undefined;
  }

  respond(headers: HeaderList, endStream = false): void {
    if (this.#isClosed) return;
    this.headersSent = true;
    this.#carrier.sendHeaders(this, headers, endStream);
    if (endStream) this.#endLocal();
  }

  /** Answers a promise to wait for when the other side does not keep up. */
  write(chunk: Buffer): Promise<void> | undefined {
    if (!this.writable) return undefined;
    this.#outgoing.push(chunk);
    this.#outgoingSize += chunk.length;
    this.#carrier.wake(this);
    if (this.#outgoingSize <= sendLimit) return undefined;
    this.#writer ??= Promise.withResolvers<void>();
    return this.#writer.promise;
  }

  /** After all that was written. */
  end(trailers?: HeaderList): void {
    if (!this.writable) return;
    this.#ending = { trailers };
    this.#carrier.wake(this);
  }

  reset(code: number = errorCode.cancel): void {
    if (this.#isClosed) return;
    this.#carrier.sendReset(this, code);
    this.fail(new Error(`the stream was reset (${code})`));
  }

  /** Data to send now, at most `limit` bytes of it; `last` when the stream ends with it. */
  take(limit: number): { readonly data: Buffer; readonly last: boolean } | undefined {
    const [first] = this.#outgoing;
    if (!first || limit <= 0) return undefined;
    if (first.length > limit) {
      this.#outgoing[0] = first.subarray(limit);
      this.#taken(limit);
      return { data: first.subarray(0, limit), last: false };
    }
    this.#outgoing.shift();
    this.#taken(first.length);
    const last = this.#outgoing.length === 0 && this.#ending !== undefined && !this.#ending.trailers;
    if (last) this.#endLocal();
    return { data: first, last };
  }

  /** What ends the stream, once all data has been taken; once. */
  takeEnd(): { readonly trailers: HeaderList | undefined } | undefined {
    if (this.#localEnded || !this.#ending || this.#outgoing.length > 0) return undefined;
    return this.#ending;
  }

  /** Its end has been sent. */
  ended(): void {
    this.#endLocal();
  }

  get hasOutput(): boolean {
    return this.#outgoing.length > 0 || this.takeEnd() !== undefined;
  }

  #taken(bytes: number): void {
    this.#outgoingSize -= bytes;
    if (this.#writer && this.#outgoingSize <= sendLimit / 2) {
      this.#writer.resolve();
      this.#writer = undefined;
    }
  }

  receive(data: Buffer): void {
    if (data.length === 0) return;
    this.#incoming.push(data);
    this.#wakeReader();
  }

  receiveEnd(): void {
    this.remoteEnded = true;
    this.#wakeReader();
    this.#closeWhenOver();
  }

  /** The other side reset the stream, or the connection is gone. */
  fail(error: Error): void {
    if (this.#isClosed) return;
    if (!this.remoteEnded) this.#failure = error;
    this.#close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    for (;;) {
      const chunk = this.#incoming.shift();
      if (chunk) {
        if (!this.remoteEnded && !this.#isClosed) this.#carrier.credit(this, chunk.length);
        yield chunk;
      } else if (this.#failure) {
        throw this.#failure;
      } else if (this.remoteEnded || this.#isClosed) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#reader = resolve;
        });
      }
    }
  }

  #wakeReader(): void {
    this.#reader?.();
    this.#reader = undefined;
  }

  #endLocal(): void {
    this.#localEnded = true;
    this.#ending ??= { trailers: undefined };
    this.#closeWhenOver();
  }

  #closeWhenOver(): void {
    if (this.#localEnded && this.remoteEnded) this.#close();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#outgoing.length = 0;
    this.#writer?.resolve();
    this.#wakeReader();
    this.#carrier.closed(this);
    this.#closed.resolve();
  }
}
