import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import type { OutputListener } from '../container/container-streams.ts';
import type { Containers } from '../container/containers.ts';
import { DetachScanner, parseDetachKeys } from './detach-keys.ts';
import { drained, flagOf, queryOf, type Request } from './http.ts';
import { muxFrame } from './mux-frame.ts';

export const rawStream = 'application/vnd.docker.raw-stream';
export const multiplexedStream = 'application/vnd.docker.multiplexed-stream';

/** What a client asks of `POST /containers/{id}/attach`. */
interface AttachRequest {
  readonly id: string;
  readonly tty: boolean;
  readonly stdinOnce: boolean;
  readonly query: URLSearchParams;
}

function attachRequest(containers: Containers, text: string, query: URLSearchParams): AttachRequest {
  const { id, config } = containers.find(text);
  return { id, tty: config.Tty === true, stdinOnce: config.StdinOnce === true && !config.Tty, query };
}

/** The connection itself becomes the streams, as docker's clients want it. Throws before it has written. */
export function attachConnection(
  containers: Containers,
  text: string,
  request: IncomingMessage,
  socket: Readable & Writable,
  head: Uint8Array,
): void {
  const wanted = attachRequest(containers, text, queryOf(request));
  const scanner = scannerFor(wanted);
  socket.write(
    `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${wanted.tty ? rawStream : multiplexedStream}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
  void join(containers, wanted, scanner, socket, socket);
}

/** Without an upgrade: the body is the input, the answer the output. */
export function attachRequestBody(
  containers: Containers,
  { parameters, query, message }: Request,
  response: ServerResponse,
): void {
  const wanted = attachRequest(containers, parameters.id ?? '', query);
  const scanner = scannerFor(wanted);
  response.writeHead(200, { 'content-type': wanted.tty ? rawStream : multiplexedStream });
  response.flushHeaders();
  void join(containers, wanted, scanner, message, response);
}

function scannerFor({ tty, query }: AttachRequest): DetachScanner | undefined {
  return tty ? new DetachScanner(parseDetachKeys(query.get('detachKeys') || 'ctrl-p,ctrl-q')) : undefined;
}

async function join(
  containers: Containers,
  wanted: AttachRequest,
  scanner: DetachScanner | undefined,
  input: Readable,
  output: Writable,
): Promise<void> {
  const { id, query } = wanted;
  input.on('error', () => output.destroy());
  try {
    if (flagOf(query, 'logs')) await replay(containers, wanted, output);
    if (!flagOf(query, 'stream')) {
      output.end();
      return;
    }
    const stop = containers.attach(id, { take: listener(wanted, output), end: () => output.end() });
    output.on('close', stop);
    if (flagOf(query, 'stdin')) forwardInput(containers, wanted, scanner, input, output);
    else input.resume();
  } catch {
    // The container is gone between two steps.
    output.end();
  }
}

async function replay(containers: Containers, wanted: AttachRequest, output: Writable): Promise<void> {
  const give = listener(wanted, output);
  for await (const lines of containers.logs(wanted.id, { follow: false })) {
    for (const { stream, text } of lines) await give(stream, Buffer.from(text));
  }
}

function listener({ query, tty }: AttachRequest, output: Writable): OutputListener {
  const wants = { 1: flagOf(query, 'stdout'), 2: flagOf(query, 'stderr') };
  return (stream, bytes) => {
    if (!wants[stream] || output.destroyed) return undefined;
    return output.write(tty ? bytes : muxFrame(stream, bytes)) ? undefined : drained(output);
  };
}

function forwardInput(
  containers: Containers,
  { id, stdinOnce }: AttachRequest,
  scanner: DetachScanner | undefined,
  input: Readable,
  output: Writable,
): void {
  const stdin = containers.stdin(id);
  input.on('data', (bytes: Buffer) => {
    const { pass, detached } = scanner?.scan(bytes) ?? { pass: bytes, detached: false };
    // The client may not send more than the process takes.
    input.pause();
    void stdin.write(pass).then(() => {
      if (detached) output.end();
      input.resume();
    });
  });
  input.on('end', () => {
    if (stdinOnce) stdin.end();
  });
  input.on('close', () => {
    if (stdinOnce) stdin.end();
  });
}
