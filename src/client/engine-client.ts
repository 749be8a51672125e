import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { type ErrorCode, SlipwayError } from '../base/errors.ts';
import { parseDaemonAddress } from './daemon-address.ts';

// An import statement reads every export of node:http, and with that loads undici: 40 ms of a command's start.
const { request: httpRequest } = process.getBuiltinModule('node:http');

const apiVersion = '1.51';

const codes: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid-argument',
  401: 'unauthenticated',
  403: 'permission-denied',
  404: 'not-found',
  409: 'already-exists',
  501: 'unimplemented',
  503: 'unavailable',
  507: 'resource-exhausted',
};

export interface EngineRequest {
  readonly query?: Readonly<Record<string, string | readonly string[] | boolean | undefined>>;
  readonly json?: unknown;
  readonly body?: Readable;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the request, whatever has come of it. */
  readonly signal?: AbortSignal;
}

/** Talks the Docker Engine API to a daemon. */
export class EngineClient {
  readonly #address: string;

  constructor(host: string) {
    this.#address = host;
  }

  /** The parsed JSON body; undefined when there is none. Throws what the daemon says. */
  async json<T>(method: string, path: string, request: EngineRequest = {}): Promise<T> {
    const text = (await this.text(method, path, request)).trim();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async text(method: string, path: string, request: EngineRequest = {}): Promise<string> {
    const response = await this.open(method, path, request);
    return Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>)).toString('utf8');
  }

  /** Progress, one object a line. An error among them is thrown. */
  async *lines(
    method: string,
    path: string,
    request: EngineRequest = {},
  ): AsyncGenerator<Record<string, unknown>, void> {
    let rest = '';
    for await (const chunk of await this.open(method, path, request)) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') yield progressLine(line);
    }
    if (rest.trim() !== '') yield progressLine(rest);
  }

  /** The response itself, once its status is good. */
  async open(method: string, path: string, request: EngineRequest = {}): Promise<IncomingMessage> {
    const response = await this.#send(method, path, request);
    if (response.statusCode !== undefined && response.statusCode < 400) return response;
    throw await errorOf(response);
  }

  /** A connection that becomes a stream (attach, exec). It stays open for the other side's output after our end. */
  hijack(path: string, { query, json }: Pick<EngineRequest, 'query' | 'json'> = {}): Promise<Socket> {
    const { promise, resolve, reject } = Promise.withResolvers<Socket>();
    const body = json === undefined ? undefined : JSON.stringify(json);
    const type = body === undefined ? 'text/plain' : 'application/json';
    const outgoing = httpRequest({
      ...this.#target(),
      method: 'POST',
      path: this.#path(path, query),
      headers: { ...this.#host(), connection: 'Upgrade', upgrade: 'tcp', 'content-type': type, ...lengthOf(body) },
    });
    outgoing.on('upgrade', (_response, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      resolve(socket as Socket);
    });
    outgoing.on('response', (response) => errorOf(response).then(reject, reject));
    outgoing.on('error', (error) => reject(this.#unreachable(error)));
    outgoing.end(body);
    return promise;
  }

  #send(method: string, path: string, { query, json, body, headers, signal }: EngineRequest): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const text = json === undefined ? undefined : JSON.stringify(json);
    const type = text === undefined ? {} : { 'content-type': 'application/json', ...lengthOf(text) };
    const target = { ...this.#target(), method, path: this.#path(path, query) };
    const outgoing = httpRequest(
      { ...target, ...(signal ? { signal } : {}), headers: { ...this.#host(), ...type, ...headers } },
      resolve,
    );
    outgoing.on('error', (error) => reject(this.#unreachable(error)));
    if (body) body.on('error', (error) => outgoing.destroy(error)).pipe(outgoing);
    else outgoing.end(text);
    return promise;
  }

  #path(path: string, query: EngineRequest['query'] = {}): string {
    const parameters = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) {
      if (value === undefined || value === false) continue;
      for (const each of value === true ? ['1'] : typeof value === 'string' ? [value] : value)
        parameters.append(key, each);
    }
    const text = parameters.toString();
    return `/v${apiVersion}${path}${text === '' ? '' : `?${text}`}`;
  }

  #target() {
    const address = parseDaemonAddress(this.#address);
    return address.kind === 'unix' ? { socketPath: address.path } : { host: address.host, port: address.port };
  }

  /** A socket has no host to name; what is named is only checked on tcp. */
  #host(): { host?: string } {
    return 'path' in parseDaemonAddress(this.#address) ? { host: 'daemon' } : {};
  }

  #unreachable(error: Error): Error {
    return new SlipwayError('unavailable', `cannot talk to the daemon at ${this.#address}: ${error.message}`, {
      hint: 'is it running?',
      cause: error,
    });
  }
}

function lengthOf(body: string | undefined): { 'content-length'?: number } {
  return body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
}

function progressLine(line: string): Record<string, unknown> {
  const value: Record<string, unknown> = JSON.parse(line);
  if (typeof value.error === 'string') throw new SlipwayError('internal', value.error);
  return value;
}

async function errorOf(response: IncomingMessage): Promise<SlipwayError> {
  const text = Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>)).toString('utf8');
  let message = text.trim();
  try {
    message = JSON.parse(text).message ?? message;
  } catch {
    // Not every proxy speaks docker's errors.
  }
  return new SlipwayError(
    codes[response.statusCode ?? 0] ?? 'internal',
    message || `the daemon answered ${response.statusCode}`,
  );
}
