import type { Duplex } from 'node:stream';
import { errorMessage, SlipwayError } from '../../base/errors.ts';
import { Http2Connection } from '../http2/connection.ts';
import { headerOf } from '../http2/headers.ts';
import { errorCode } from '../http2/http2-error.ts';
import type { Http2Stream } from '../http2/stream.ts';
import { create } from '../message/create.ts';
import { fromBinary } from '../message/decode.ts';
import { toBinary } from '../message/encode.ts';
import type { InitOf, Schema, ShapeOf } from '../message/schema.ts';
import type { Method, Service } from '../message/service.ts';
import { readMessages, writeMessage } from './framing.ts';
import { errorOf } from './status.ts';

export interface CallOptions {
  readonly metadata?: Readonly<Record<string, string | string[]>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Shape<T> = T extends Schema ? ShapeOf<T> : never;
type Init<T> = T extends Schema ? InitOf<T> : never;

type Call<M> = M extends { methodKind: 'unary'; input: infer I; output: infer O }
  ? (request: Init<I>, options?: CallOptions) => Promise<Shape<O>>
  : M extends { methodKind: 'server_streaming'; input: infer I; output: infer O }
    ? (request: Init<I>, options?: CallOptions) => AsyncIterable<Shape<O>>
    : M extends { methodKind: 'client_streaming'; input: infer I; output: infer O }
      ? (requests: AsyncIterable<Init<I>>, options?: CallOptions) => Promise<Shape<O>>
      : M extends { methodKind: 'bidi_streaming'; input: infer I; output: infer O }
        ? (requests: AsyncIterable<Init<I>>, options?: CallOptions) => AsyncIterable<Shape<O>>
        : never;

export type Client<S extends Service> = { readonly [K in keyof S['method']]: Call<S['method'][K]> };

export interface ChannelOptions {
  /** Larger answers are refused. Bytes, 16 MiB unless given. */
  readonly messageLimit?: number | undefined;
  /** Asks the other side for a sign of life this often and gives up on it when none comes until the next. Milliseconds. */
  readonly keepAlive?: number | undefined;
}

/** How one method's messages become bytes. */
interface Codec {
  readonly path: string;
  readonly streamsIn: boolean;
  readonly encode: (message: unknown) => Uint8Array;
  readonly decode: (message: Uint8Array) => unknown;
}

/** One HTTP/2 connection to a gRPC server. */
export class GrpcChannel {
  readonly #connection: Http2Connection;
  readonly #messageLimit: number | undefined;

  constructor(connection: Duplex, options: ChannelOptions = {}) {
    this.#messageLimit = options.messageLimit;
    this.#connection = new Http2Connection(connection);
    if (options.keepAlive !== undefined) this.#keepAlive(options.keepAlive);
  }

  #keepAlive(interval: number): void {
    let answered = true;
    const timer = setInterval(() => {
      if (!answered) {
        this.#connection.destroy(new SlipwayError('unavailable', 'the other side does not answer any more'));
        return;
      }
      answered = false;
      this.#connection.ping(() => {
        answered = true;
      });
    }, interval);
    timer.unref();
    this.#connection.whenClosed.then(() => clearInterval(timer));
  }

  get closed(): boolean {
    return this.#connection.closed;
  }

  /** Resolves when the connection is gone. */
  whenClosed(): Promise<void> {
    return this.#connection.whenClosed;
  }

  close(): void {
    this.#connection.destroy();
  }

  client<S extends Service>(service: S): Client<S> {
    const calls = Object.entries(service.method).map(([name, method]) => [name, this.#call(method)]);
    return Object.fromEntries(calls);
  }

  /** A bidi call whose messages stay bytes; see `Router.addRaw`. */
  callRaw(path: string, messages: AsyncIterable<Uint8Array>, options: CallOptions = {}): AsyncIterable<Uint8Array> {
    const bytes = (message: Uint8Array) => message;
    return this.#open(
      { path, streamsIn: true, encode: bytes as Codec['encode'], decode: bytes },
      messages,
      options,
    ) as AsyncIterable<Uint8Array>;
  }

  #call(method: Method): unknown {
    const { path } = method;
    const codec: Codec = {
      path,
      streamsIn: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
      encode: (message) => toBinary(method.input, create(method.input, message as Record<string, unknown>)),
      decode: (message) => fromBinary(method.output, message),
    };
    const open = (input: unknown, options: CallOptions) => this.#open(codec, input, options);
    if (method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming') {
      return (input: unknown, options: CallOptions = {}) => open(input, options);
    }
    return async (input: unknown, options: CallOptions = {}) => {
      let answer: unknown;
      for await (const message of open(input, options)) answer ??= message;
      if (answer === undefined) throw new SlipwayError('internal', `${path} answered without a message`);
      return answer;
    };
  }

  /** Streams that send start at once, not at the first `next()`: the other side may speak only after it was spoken to. */
  #open(codec: Codec, input: unknown, options: CallOptions): AsyncIterable<unknown> {
    options.signal?.throwIfAborted();
    if (this.closed) throw this.#unavailable(codec.path);
    const stream = this.#connection.request([
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', codec.path],
      [':authority', 'localhost'],
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
      ['user-agent', 'slipway'],
      ...Object.entries(options.metadata ?? {}).flatMap(([name, values]) =>
        [values].flat().map((value) => [name, value] as const),
      ),
    ]);
    return this.#exchange(stream, codec, input, options);
  }

  #exchange(stream: Http2Stream, codec: Codec, input: unknown, options: CallOptions): AsyncIterable<unknown> {
    const { path } = codec;
    let failure: unknown;
    const abort = () => stream.reset();
    options.signal?.addEventListener('abort', abort, { once: true });
    stream.whenClosed.then(() => options.signal?.removeEventListener('abort', abort));
    send(stream, codec, input).catch((error: unknown) => {
      failure ??= error;
      stream.reset();
    });
    const unavailable = () => this.#unavailable(path, failure);
    const messageLimit = this.#messageLimit;
    return (async function* () {
      try {
        for await (const message of readMessages(stream, messageLimit)) yield codec.decode(message);
      } catch (error) {
        failure ??= error;
      } finally {
        // Unless the answer is complete, whoever stops listening has given up.
        stream.reset(stream.remoteEnded ? errorCode.noError : errorCode.cancel);
      }
      options.signal?.throwIfAborted();
      const error = outcomeOf(stream, path);
      if (error) throw error;
      if (error === undefined && failure === undefined) return;
      throw failure instanceof SlipwayError ? failure : unavailable();
    })();
  }

  #unavailable(path: string, cause: unknown = this.#connection.failure): SlipwayError {
    const why = cause === undefined ? 'the connection was closed' : errorMessage(cause);
    return new SlipwayError('unavailable', `cannot call ${path}: ${why}`, { cause });
  }
}

/** How the call went, as the other side says: undefined for well, false when it has not said. */
function outcomeOf(
  { headers = [], trailers, remoteEnded }: Http2Stream,
  path: string,
): SlipwayError | false | undefined {
  if (!remoteEnded) return false;
  const ending = Object.fromEntries(trailers ?? headers);
  if (ending['grpc-status'] !== undefined) return errorOf(ending);
  const status = headerOf(headers, ':status');
  return status === '200' ? false : new SlipwayError('unavailable', `${path} answered HTTP ${status}`);
}

async function send(stream: Http2Stream, { streamsIn, encode }: Codec, input: unknown): Promise<void> {
  if (!streamsIn) {
    writeMessage(stream, encode(input));
  } else {
    for await (const message of input as AsyncIterable<unknown>) {
      if (!stream.writable) return;
      const wait = writeMessage(stream, encode(message));
      if (wait) await wait;
    }
  }
  stream.end();
}
