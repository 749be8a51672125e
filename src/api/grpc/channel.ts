import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2';
import type { Duplex } from 'node:stream';
import { errorMessage, SlipwayError } from '../../base/errors.ts';
import { create } from '../message/create.ts';
import { fromBinary } from '../message/decode.ts';
import { toBinary } from '../message/encode.ts';
import type { InitOf, Schema, ShapeOf } from '../message/schema.ts';
import type { Method, Service } from '../message/service.ts';
import { readMessages, writeMessage } from './framing.ts';
import { errorOf } from './status.ts';
import { http2Settings, localWindow } from './windows.ts';

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
  readonly #session: ClientHttp2Session;
  readonly #messageLimit: number | undefined;
  #failure: unknown;

  constructor(connection: Duplex, options: ChannelOptions = {}) {
    this.#messageLimit = options.messageLimit;
    this.#session = connect('http://localhost', {
      createConnection: () => connection,
      settings: http2Settings,
      maxSessionMemory: 256,
    });
    this.#session.once('connect', () => this.#session.setLocalWindowSize(localWindow));
    this.#session.on('error', (error) => {
      this.#failure = error;
    });
    if (options.keepAlive !== undefined) this.#keepAlive(options.keepAlive);
  }

  #keepAlive(interval: number): void {
    let answered = true;
    const timer = setInterval(() => {
      // A session is destroyed some time before it tells so by `close`, and may then not be touched.
      if (this.closed || this.#session.connecting) return;
      if (!answered) {
        this.#session.destroy(new SlipwayError('unavailable', 'the other side does not answer any more'));
        return;
      }
      answered = false;
      this.#session.ping(() => {
        answered = true;
      });
    }, interval);
    timer.unref();
    this.#session.once('close', () => clearInterval(timer));
  }

  get closed(): boolean {
    return this.#session.closed || this.#session.destroyed;
  }

  /** Resolves when the connection is gone. */
  whenClosed(): Promise<void> {
    if (this.#session.destroyed) return Promise.resolve();
    return new Promise((resolve) => this.#session.once('close', () => resolve()));
  }

  close(): void {
    this.#session.destroy();
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
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': codec.path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'slipway',
      ...options.metadata,
    });
    return this.#exchange(stream, codec, input, options);
  }

  #exchange(stream: ClientHttp2Stream, codec: Codec, input: unknown, options: CallOptions): AsyncIterable<unknown> {
    const { path } = codec;
    let ended: IncomingHttpHeaders | undefined;
    let failure: unknown;
    stream.on('response', (headers) => {
      if (headers['grpc-status'] !== undefined) ended = headers;
      else if (headers[':status'] !== 200)
        failure = new SlipwayError('unavailable', `${path} answered HTTP ${headers[':status']}`);
    });
    // Trailers may come after the end of the messages.
    const { promise: over, resolve: setOver } = Promise.withResolvers<void>();
    stream.on('trailers', (headers) => {
      ended = headers;
      setOver();
    });
    stream.once('close', setOver);
    stream.on('error', (error) => {
      failure ??= error;
    });
    const abort = () => {
      failure = options.signal?.reason;
      stream.close(8);
    };
    options.signal?.addEventListener('abort', abort, { once: true });
    stream.once('close', () => options.signal?.removeEventListener('abort', abort));
    const sent = send(stream, codec, input).catch((error: unknown) => {
      failure ??= error;
      stream.close(8);
    });
    const unavailable = () => this.#unavailable(path, failure);
    const messageLimit = this.#messageLimit;
    return (async function* () {
      try {
        for await (const message of readMessages(stream, messageLimit)) yield codec.decode(message);
        if (!ended) await over;
      } catch (error) {
        failure ??= error;
      } finally {
        if (!stream.closed) stream.close(ended ? 0 : 8);
      }
      options.signal?.throwIfAborted();
      if (ended) {
        const error = errorOf(ended);
        if (error) throw error;
        return;
      }
      await sent;
      throw failure instanceof SlipwayError ? failure : unavailable();
    })();
  }

  #unavailable(path: string, cause: unknown = this.#failure): SlipwayError {
    const why = cause === undefined ? 'the connection was closed' : errorMessage(cause);
    return new SlipwayError('unavailable', `cannot call ${path}: ${why}`, { cause });
  }
}

async function send(stream: ClientHttp2Stream, { streamsIn, encode }: Codec, input: unknown): Promise<void> {
  if (!streamsIn) {
    writeMessage(stream, encode(input));
  } else {
    for await (const message of input as AsyncIterable<unknown>) {
      if (stream.destroyed || stream.closed) return;
      const wait = writeMessage(stream, encode(message));
      if (wait) await wait;
    }
  }
  if (!stream.destroyed && !stream.closed) stream.end();
}
