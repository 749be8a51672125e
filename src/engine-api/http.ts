import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ErrorCode, errorMessage, invalidArgument, SlipwayError } from '../base/errors.ts';

/** One request, taken apart. */
export interface Request {
  readonly message: IncomingMessage;
  readonly query: URLSearchParams;
  /** Parts of the path that the route names. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Of the path, such as 1.47. */
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
};

/** docker's error body. */
export function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    // The status is gone; an error inside a stream is one more line of it.
    if (!response.writableEnded)
      response.end(`${JSON.stringify({ errorDetail: { message: textOf(error) }, error: textOf(error) })}\n`);
    return;
  }
  sendJson(response, { message: textOf(error) }, error instanceof SlipwayError ? statuses[error.code] : 500);
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
      Array.isArray(list) ? list.map(String) : Object.keys(list as object),
    ]),
  );
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
