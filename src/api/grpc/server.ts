import {
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { SlipwayError } from '../../base/errors.ts';
import { readMessages, writeMessage } from './framing.ts';
import type { CallContext, Route, Router } from './router.ts';
import { errorTrailers, okTrailers, type Trailers } from './status.ts';
import { http2Settings, localWindow } from './windows.ts';

export interface ServeOptions {
  /** Handed to handlers as `context.peer`. */
  readonly peer?: unknown;
}

/** Serves gRPC on a connection, from its HTTP/2 preface on. */
export function serveGrpc(connection: Duplex, router: Router, options: ServeOptions = {}): ServerHttp2Session {
  const session = performServerHandshake(connection, { settings: http2Settings, maxSessionMemory: 256 });
  session.once('connect', () => session.setLocalWindowSize(localWindow));
  session.on('error', () => session.destroy());
  session.on('stream', (stream, headers) => {
    serveCall(stream, headers, router, options.peer).catch(() => stream.destroy());
  });
  return session;
}

async function serveCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  router: Router,
  peer: unknown,
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
    await answer(stream, route, callContext(stream, headers, aborter.signal, peer));
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
  signal: AbortSignal,
  peer: unknown,
): CallContext {
  return { metadata, signal, peer, sendHeaders: () => respond(stream) };
}

async function answer(stream: ServerHttp2Stream, { method, handler }: Route, context: CallContext): Promise<void> {
  const call = handler as (request: unknown, context: CallContext) => unknown;
  const decode = (message: Uint8Array) => fromBinary(method.input, message);
  const streamsIn = method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
  const input = streamsIn ? decodeAll(stream, decode) : decode(await firstMessage(stream));
  const output = call(input, context);
  const send = (message: unknown) => {
    respond(stream);
    return writeMessage(stream, toBinary(method.output, create(method.output, message as Record<string, unknown>)));
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

async function* decodeAll<T>(stream: ServerHttp2Stream, decode: (message: Uint8Array) => T): AsyncGenerator<T, void> {
  for await (const message of readMessages(stream)) yield decode(message);
}

async function firstMessage(stream: ServerHttp2Stream): Promise<Uint8Array> {
  for await (const message of readMessages(stream)) return message;
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
