import {
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { abortable } from '../../base/async.ts';
import { errorMessage, SlipwayError } from '../../base/errors.ts';
import { create } from '../message/create.ts';
import { fromBinary } from '../message/decode.ts';
import { toBinary } from '../message/encode.ts';
import type { Method } from '../message/service.ts';
import { readMessages, writeMessage } from './framing.ts';
import type { CallContext, Route, Router } from './router.ts';
import { errorTrailers, okTrailers, type Trailers } from './status.ts';
import { http2Settings, localWindow } from './windows.ts';

export interface ServeOptions {
  /** Handed to handlers as `context.peer`. */
  readonly peer?: unknown;
  /** Larger requests are refused. Bytes, 16 MiB unless given. */
  readonly messageLimit?: number | undefined;
}

/** Serves gRPC on a connection, from its HTTP/2 preface on. */
export function serveGrpc(connection: Duplex, router: Router, options: ServeOptions = {}): ServerHttp2Session {
  const session = performServerHandshake(connection, { settings: http2Settings, maxSessionMemory: 256 });
  session.once('connect', () => session.setLocalWindowSize(localWindow));
  session.on('error', () => session.destroy());
  session.on('stream', (stream, headers, _flags, rawHeaders) => {
    serveCall(stream, headers, rawHeaders, router, options).catch(() => stream.destroy());
  });
  return session;
}

async function serveCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
  router: Router,
  options: ServeOptions,
): Promise<void> {
  const aborter = new AbortController();
  const abort = () => aborter.abort(new SlipwayError('canceled', 'the caller went away'));
  stream.on('aborted', abort);
  stream.on('error', abort);
  stream.on('close', abort);
  const timer = deadline(headers['grpc-timeout'], aborter);
  try {
    const route = router.find(String(headers[':path']));
    if (!route) throw new SlipwayError('unimplemented', `unknown method ${headers[':path']}`);
    const context = callContext(stream, headers, rawHeaders, aborter.signal, options.peer);
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
    // A request body that nobody reads would hold the stream, and its window, open.
    if (!stream.readableEnded) stream.resume();
  }
}

function callContext(
  stream: ServerHttp2Stream,
  metadata: IncomingHttpHeaders,
  rawHeaders: readonly string[],
  signal: AbortSignal,
  peer: unknown,
): CallContext {
  const values = (name: string) => rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1] === name);
  return { metadata, values, signal, peer, sendHeaders: () => respond(stream) };
}

async function answer(
  stream: ServerHttp2Stream,
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
    if (!stream.destroyed) await send(message);
    return;
  }
  for await (const message of output as AsyncIterable<unknown>) {
    if (stream.destroyed) return;
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
  stream: ServerHttp2Stream,
  decode: (message: Uint8Array) => T,
  messageLimit: number | undefined,
): AsyncGenerator<T, void> {
  for await (const message of readMessages(stream, messageLimit)) yield decode(message);
}

async function firstMessage(stream: ServerHttp2Stream, messageLimit: number | undefined): Promise<Uint8Array> {
  for await (const message of readMessages(stream, messageLimit)) return message;
  throw new SlipwayError('invalid-argument', 'the call carries no message');
}

function respond(stream: ServerHttp2Stream): void {
  if (stream.headersSent || stream.destroyed || stream.closed) return;
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
}

function end(stream: ServerHttp2Stream, trailers: Trailers): void {
  if (stream.destroyed || stream.closed) return;
  if (!stream.headersSent) {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...trailers }, { endStream: true });
    return;
  }
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end();
}

const timeoutUnits: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

function deadline(header: string | string[] | undefined, aborter: AbortController): NodeJS.Timeout | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(String(header));
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
