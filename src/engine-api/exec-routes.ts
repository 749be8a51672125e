import type { IncomingMessage } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import { invalidArgument } from '../base/errors.ts';
import type { OutputListener } from '../container/container-streams.ts';
import type { Exec, ExecConfig, Execs } from '../container/execs.ts';
import { multiplexedStream, rawStream } from './attach.ts';
import { DetachScanner, parseDetachKeys } from './detach-keys.ts';
import { drained, errorAnswer, numberOf, readJson, sendJson, sendNothing } from './http.ts';
import { muxFrame } from './mux-frame.ts';
import type { EngineRouter } from './router.ts';

/** `exec`: further processes in running containers. */
export function addExecRoutes(router: EngineRouter, execs: Execs): void {
  router.add('POST', '/containers/{id}/exec', async ({ parameters, message }, response) => {
    const config = (await readJson(message)) as unknown as ExecConfig;
    sendJson(response, { Id: execs.create(parameters.id ?? '', config).id }, 201);
  });
  router.add('GET', '/exec/{id}/json', ({ parameters }, response) =>
    sendJson(response, inspectExec(execs.find(parameters.id ?? ''))),
  );
  router.add('POST', '/exec/{id}/resize', ({ parameters, query }, response) => {
    const [rows, columns] = [numberOf(query, 'h') ?? 0, numberOf(query, 'w') ?? 0];
    if (rows < 0 || rows > 65_535 || columns < 0 || columns > 65_535)
      throw invalidArgument(`invalid terminal size ${rows}x${columns}`);
    execs.resize(parameters.id ?? '', rows, columns);
    sendNothing(response, 200);
  });
  // Without an upgrade: in the background, or with the answer as the output.
  router.add('POST', '/exec/{id}/start', async ({ parameters, message }, response) => {
    const exec = execs.find(parameters.id ?? '');
    const options = await readJson(message);
    if (options.Detach === true) {
      await execs.start(exec.id);
      sendNothing(response, 200);
      return;
    }
    exec.streams.stdin.end();
    const stop = exec.streams.attach({ take: listener(exec, response), end: () => response.end() });
    response.on('close', stop);
    sizeFrom(execs, exec, options);
    await execs.start(exec.id);
    if (!response.headersSent) response.writeHead(200, { 'content-type': typeOf(exec) });
    response.flushHeaders();
  });
}

function inspectExec({ id, container, config, state, exitCode, process }: Exec): object {
  const [entrypoint = '', ...args] = config.Cmd;
  return {
    ID: id,
    Running: state === 'running',
    ExitCode: exitCode ?? null,
    ProcessConfig: {
      tty: config.Tty === true,
      entrypoint,
      arguments: args,
      privileged: config.Privileged === true,
      ...(config.User ? { user: config.User } : {}),
    },
    OpenStdin: config.AttachStdin === true,
    OpenStderr: config.AttachStderr === true,
    OpenStdout: config.AttachStdout === true,
    CanRemove: false,
    ContainerID: container,
    DetachKeys: '',
    Pid: process?.pid ?? 0,
  };
}

/** More than a start's options ever need. Bytes. */
const bodyLimit = 64 * 1024;

/** The connection becomes the process's streams once its body, which says how, has been read. Throws before it has written. */
export async function execConnection(
  execs: Execs,
  id: string,
  request: IncomingMessage,
  socket: Readable & Writable,
  head: Uint8Array,
): Promise<void> {
  const exec = execs.find(id);
  const { body, rest } = await readBody(request, socket, head);
  const options = parseOptions(body);
  const keys = parseDetachKeys(exec.config.DetachKeys || 'ctrl-p,ctrl-q');
  sizeFrom(execs, exec, options);
  const ended = Promise.withResolvers<void>();
  const stop = exec.streams.attach({ take: listener(exec, socket), end: ended.resolve });
  socket.on('close', stop);
  socket.write(`HTTP/1.1 101 UPGRADED\r\nContent-Type: ${typeOf(exec)}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`);
  try {
    await execs.start(id);
  } catch (error) {
    // docker's clients want the upgrade first, and the reason as output.
    const reason = Buffer.from(`${errorAnswer(error).message}\r\n`);
    socket.end(exec.config.Tty ? reason : muxFrame(1, reason));
    return;
  }
  void ended.promise.then(() => socket.end());
  forwardInput(exec, exec.config.Tty ? new DetachScanner(keys) : undefined, socket, rest);
}

function parseOptions(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body || '{}');
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw invalidArgument('invalid JSON: want an object');
}

function sizeFrom(execs: Execs, { id }: Exec, { ConsoleSize: size }: Record<string, unknown>): void {
  if (!Array.isArray(size)) return;
  const [rows, columns] = size.map(Number);
  if (rows && columns && rows < 65_536 && columns < 65_536) execs.resize(id, rows, columns);
}

function typeOf({ config }: Exec): string {
  return config.Tty ? rawStream : multiplexedStream;
}

/**
 * A body of known length, before the connection turns into a stream; what came behind it belongs to that.
 * Node gives it in the request since version 25 and had left it in the connection before.
 */
async function readBody(
  request: IncomingMessage,
  socket: Readable,
  head: Uint8Array,
): Promise<{ readonly body: string; readonly rest: Buffer }> {
  const length = Number(request.headers['content-length'] ?? 0);
  if (!Number.isSafeInteger(length) || length < 0 || length > bodyLimit)
    throw invalidArgument('the request has no body of a fitting length');
  const source: Readable = request.complete && request.readableLength === 0 ? socket : request;
  let bytes: Buffer = Buffer.from(head);
  while (bytes.length < length) {
    const chunk: Buffer | null = source.read();
    if (chunk) bytes = Buffer.concat([bytes, chunk]);
    else if (source.destroyed || source.readableEnded) throw invalidArgument('the request ends inside its body');
    else await nextReadable(source);
  }
  return { body: bytes.toString('utf8', 0, length), rest: bytes.subarray(length) };
}

function nextReadable(source: Readable): Promise<void> {
  const events = ['readable', 'end', 'close'];
  return new Promise((resolve) => {
    const done = () => {
      for (const event of events) source.off(event, done);
      resolve();
    };
    for (const event of events) source.on(event, done);
  });
}

function listener({ config }: Exec, output: Writable): OutputListener {
  const wants = { 1: config.AttachStdout !== false, 2: config.AttachStderr !== false };
  return (stream, bytes) => {
    if (!wants[stream] || output.destroyed) return undefined;
    return output.write(config.Tty ? bytes : muxFrame(stream, bytes)) ? undefined : drained(output);
  };
}

function forwardInput(exec: Exec, scanner: DetachScanner | undefined, socket: Readable & Writable, rest: Buffer): void {
  const { stdin } = exec.streams;
  if (exec.config.AttachStdin !== true) {
    stdin.end();
    socket.resume();
    return;
  }
  const take = (bytes: Buffer) => {
    const { pass, detached } = scanner?.scan(bytes) ?? { pass: bytes, detached: false };
    // The client may not send more than the process takes.
    socket.pause();
    void stdin.write(pass).then(() => {
      if (detached) socket.end();
      socket.resume();
    });
  };
  if (rest.length > 0) take(rest);
  socket.on('data', take);
  for (const event of ['end', 'close'] as const) socket.on(event, () => stdin.end());
}
