import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { Writable } from 'node:stream';
import { type ErrorCode, errorMessage, invalidArgument, SlipwayError } from '../base/errors.ts';
import { createLogger } from '../base/log.ts';

/** One request, taken apart. */
export interface Request {
  readonly message: IncomingMessage;
  readonly query: URLSearchParams;
  /** Parts of the path that the route names. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The minor number of the API's version in the path: 47 of `/v1.47`. */
  readonly version: number;
  readonly signal: AbortSignal;
}

export type Handler = (request: Request, response: ServerResponse) => Promise<void> | void;

const statuses: Readonly<Record<ErrorCode, number>> = {
  'not-found': 404,
  'already-exists': 409,
  'invalid-argument': 400,
  'failed-precondition': 409,
  'permission-denied': 403,
  unauthenticated: 401,
  'resource-exhausted': 507,
  unavailable: 503,
  unimplemented: 501,
  canceled: 499,
  'deadline-exceeded': 504,
  'data-loss': 500,
  internal: 500,
  unknown: 500,
};

/** docker's error body. */
export function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    if (response.writableEnded || response.destroyed) return;
    // The status is gone. In a stream of lines an error is one more line; anything else must not look whole.
    if (/json/.test(String(response.getHeader('content-type')))) {
      response.end(`${JSON.stringify({ errorDetail: { message: textOf(error) }, error: textOf(error) })}\n`);
    } else {
      createLogger().error(`broke off an answer: ${textOf(error)}`);
      response.destroy();
    }
    return;
  }
  const { status, message } = errorAnswer(error);
  sendJson(response, { message }, status);
}

export function errorAnswer(error: unknown): { readonly status: number; readonly message: string } {
  const status = error instanceof SlipwayError ? statuses[error.code] : error instanceof URIError ? 400 : 500;
  return { status, message: textOf(error) };
}

/** The path, which a client may have written with a host, as proxies get it. Throws invalid-argument. */
export function pathOf(message: IncomingMessage): string {
  return urlOf(message).pathname;
}

export function queryOf(message: IncomingMessage): URLSearchParams {
  return urlOf(message).searchParams;
}

function urlOf({ url = '/' }: IncomingMessage): URL {
  const parsed = URL.parse(url.startsWith('/') ? `http://daemon${url}` : url);
  if (!parsed) throw invalidArgument('the request names no path');
  return parsed;
}

/**
 * Over TCP a web page could reach the daemon through its reader's browser: by a name that its owner points here (DNS rebinding), or
 * by a form. Throws permission-denied. On a socket file nobody comes by accident.
 */
export function checkCaller({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): void {
  if (socket.remoteAddress === undefined) return;
  if (headers.origin !== undefined) throw new SlipwayError('permission-denied', 'requests from web pages are refused');
  const host = (headers.host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0 || ['', 'localhost', hostname()].includes(host.toLowerCase())) return;
  throw new SlipwayError('permission-denied', `the host ${JSON.stringify(host)} is not this daemon's`, {
    hint: 'use its address, or the name of its machine',
  });
}

function textOf(error: unknown): string {
  const hint = error instanceof SlipwayError && error.hint !== undefined ? ` (${error.hint})` : '';
  return `${errorMessage(error)}${hint}`;
}

export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

export function sendNothing(response: ServerResponse, status = 204): void {
  response.writeHead(status);
  response.end();
}

/** A body of any length, as fast as the client takes it. Its first bytes come before the status, so that a failure still has one of its own. */
export async function sendBytes(
  response: ServerResponse,
  bytes: AsyncIterable<Uint8Array>,
  contentType: string,
): Promise<void> {
  response.setHeader('content-type', contentType);
  for await (const chunk of bytes) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await drained(response);
  }
  response.end();
}

/** Resolves when more can be written, or nobody reads any more. */
export function drained(output: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      output.off('drain', done).off('close', done);
      resolve();
    };
    output.on('drain', done).on('close', done);
  });
}

const bodyLimit = 16 * 1024 * 1024;

/** A JSON body; an empty one is an empty object. */
export async function readJson(message: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of message) {
    size += part.length;
    if (size > bodyLimit) throw new SlipwayError('resource-exhausted', `the body is larger than ${bodyLimit} bytes`);
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString('utf8').trim();
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw invalidArgument(`invalid JSON: ${errorMessage(error)}`);
  }
  throw invalidArgument('invalid JSON: want an object');
}

export function flagOf(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && !['', '0', 'false', 'no', 'none'].includes(value.toLowerCase());
}

/** Throws invalid-argument for what is no whole number. */
export function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^-?\d{1,15}$/.test(text)) throw invalidArgument(`invalid value for "${name}": ${JSON.stringify(text)}`);
  return Number(text);
}

/** Names and values of a JSON body's object; null is none. Throws invalid-argument. */
export function textRecord(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  const entries = typeof value === 'object' ? Object.entries(value) : [];
  if (typeof value !== 'object' || entries.some(([, each]) => typeof each !== 'string'))
    throw invalidArgument('invalid JSON: want an object of texts');
  return Object.fromEntries(entries);
}

export type Filters = ReadonlyMap<string, readonly string[]>;

/** `filters=`: docker writes a map of lists, older clients a map of maps. */
export function readFilters(query: URLSearchParams): Filters {
  const text = query.get('filters');
  if (text === null || text === '') return new Map();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidArgument(`invalid filter ${JSON.stringify(text.slice(0, 100))}`);
  }
  if (typeof value !== 'object' || value === null)
    throw invalidArgument(`invalid filter ${JSON.stringify(text.slice(0, 100))}`);
  return new Map(
    Object.entries(value).map(([key, list]) => [
      key,
      Array.isArray(list) ? list.map(String) : Object.keys(textKeys(list)),
    ]),
  );
}

function textKeys(value: unknown): object {
  if (typeof value === 'object' && value !== null) return value;
  throw invalidArgument('invalid filter: want lists of texts');
}

/** Progress as docker streams it: one JSON object a line. */
export class JsonLines {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  write(line: object): void {
    if (!this.#response.headersSent) this.#response.writeHead(200, { 'content-type': 'application/json' });
    this.#response.write(`${JSON.stringify(line)}\r\n`);
  }

  end(): void {
    if (!this.#response.headersSent) this.#response.writeHead(200, { 'content-type': 'application/json' });
    this.#response.end();
  }
}
