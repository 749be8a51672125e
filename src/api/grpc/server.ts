import type { Duplex } from 'node:stream';
import { abortable } from '../../base/async.ts';
import { errorMessage, SlipwayError } from '../../base/errors.ts';
import { Http2Connection } from '../http2/connection.ts';
import { type HeaderList, headerOf } from '../http2/headers.ts';
import type { Http2Stream } from '../http2/stream.ts';
import { create } from '../message/create.ts';
import { fromBinary } from '../message/decode.ts';
import { toBinary } from '../message/encode.ts';
import type { Method } from '../message/service.ts';
import { readMessages, writeMessage } from './framing.ts';
import type { CallContext, Route, Router } from './router.ts';
import { errorTrailers, okTrailers, type Trailers } from './status.ts';

export interface ServeOptions {
  /** Handed to handlers as `context.peer`. */
  readonly peer?: unknown;
  /** Larger requests are refused. Bytes, 16 MiB unless given. */
  readonly messageLimit?: number | undefined;
}

/** Serves gRPC on a connection, from its HTTP/2 preface on. */
export function serveGrpc(connection: Duplex, router: Router, options: ServeOptions = {}): Http2Connection {
  return new Http2Connection(connection, {
    onCall: (stream) => {
      serveCall(stream, router, options).catch(() => stream.reset());
    },
  });
}

async function serveCall(stream: Http2Stream, router: Router, options: ServeOptions): Promise<void> {
  const headers = stream.headers ?? [];
  const aborter = new AbortController();
  stream.whenClosed.then(() => aborter.abort(new SlipwayError('canceled', 'the caller went away')));
  const timer = deadline(headerOf(headers, 'grpc-timeout'), aborter);
  try {
    const path = headerOf(headers, ':path') ?? '';
    const route = router.find(path);
    if (!route) throw new SlipwayError('unimplemented', `unknown method ${path}`);
    const context = callContext(stream, headers, aborter.signal, options.peer);
    // A handler that does not listen to its signal must not keep the caller waiting.
    await abortable(answer(stream, route, context, options.messageLimit), aborter.signal);
    end(stream, okTrailers);
  } catch (error) {
    end(
      stream,
      errorTrailers(aborter.signal.aborted && !(error instanceof SlipwayError) ? aborter.signal.reason : error),
    );
  } finally {
    clearTimeout(timer);
  }
}

function callContext(stream: Http2Stream, headers: HeaderList, signal: AbortSignal, peer: unknown): CallContext {
  const values = (name: string) => headers.filter(([each]) => each === name).map(([, value]) => value);
  const metadata = Object.fromEntries(headers.map(([name]) => [name, values(name).join(', ')]));
  return { metadata, values, signal, peer, sendHeaders: () => respond(stream) };
}

async function answer(
  stream: Http2Stream,
  { method, handler, raw }: Route,
  context: CallContext,
  messageLimit: number | undefined,
): Promise<void> {
  const call = handler as (request: unknown, context: CallContext) => unknown;
  const decode = (message: Uint8Array) => (raw ? message : decodeRequest(method, message));
  const encode = (message: unknown) =>
    raw ? (message as Uint8Array) : toBinary(method.output, create(method.output, message as Record<string, unknown>));
  const streamsIn = method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
  const input = streamsIn ? decodeAll(stream, decode, messageLimit) : decode(await firstMessage(stream, messageLimit));
  const output = call(input, context);
  const send = (message: unknown) => {
    respond(stream);
    return writeMessage(stream, encode(message));
  };
  if (method.methodKind === 'unary' || method.methodKind === 'client_streaming') {
    const message = await output;
    if (!stream.closed) await send(message);
    return;
  }
  for await (const message of output as AsyncIterable<unknown>) {
    if (stream.closed) return;
    const wait = send(message);
    if (wait) await wait;
  }
}

function decodeRequest(method: Method, message: Uint8Array): unknown {
  try {
    return fromBinary(method.input, message);
  } catch (error) {
    throw new SlipwayError('invalid-argument', `cannot read a ${method.input.typeName}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

async function* decodeAll<T>(
  stream: Http2Stream,
  decode: (message: Uint8Array) => T,
  messageLimit: number | undefined,
): AsyncGenerator<T, void> {
  for await (const message of readMessages(stream, messageLimit)) yield decode(message);
}

async function firstMessage(stream: Http2Stream, messageLimit: number | undefined): Promise<Uint8Array> {
  for await (const message of readMessages(stream, messageLimit)) return message;
  throw new SlipwayError('invalid-argument', 'the call carries no message');
}

const responseHeaders: HeaderList = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
];

function respond(stream: Http2Stream): void {
  if (!stream.headersSent) stream.respond(responseHeaders);
}

function end(stream: Http2Stream, trailers: Trailers): void {
  if (stream.headersSent) stream.end(Object.entries(trailers));
  else stream.respond([...responseHeaders, ...Object.entries(trailers)], true);
}

const timeoutUnits: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

function deadline(header: string | undefined, aborter: AbortController): NodeJS.Timeout | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(header ?? '');
  if (!match) return undefined;
  const milliseconds = Number(match[1]) * (timeoutUnits[match[2] ?? ''] ?? 0);
  if (milliseconds > 2 ** 31 - 1) return undefined;
  const timer = setTimeout(
    () => aborter.abort(new SlipwayError('deadline-exceeded', 'the deadline passed')),
    milliseconds,
  );
  timer.unref();
  return timer;
}
