import { type ErrorCode, errorMessage, SlipwayError } from '../../base/errors.ts';
import { type Status, StatusSchema } from '../gen/rpc_status_pb.js';
import { create } from '../message/create.ts';
import { fromBinary } from '../message/decode.ts';
import { toBinary } from '../message/encode.ts';
import type { Any } from '../message/well-known.ts';

const unknownCode = 2;

/** gRPC's codes (grpc/doc/statuscodes.md) and ours, mapped once. */
const codes: readonly (readonly [number, ErrorCode])[] = [
  [1, 'canceled'],
  [unknownCode, 'unknown'],
  [3, 'invalid-argument'],
  [4, 'deadline-exceeded'],
  [5, 'not-found'],
  [6, 'already-exists'],
  [7, 'permission-denied'],
  [8, 'resource-exhausted'],
  [9, 'failed-precondition'],
  [12, 'unimplemented'],
  [13, 'internal'],
  [14, 'unavailable'],
  [15, 'data-loss'],
  [16, 'unauthenticated'],
];

const numberOf = new Map(codes.map(([number, code]) => [code, number]));
const codeOf = new Map<number, ErrorCode>(codes);

/** gRPC's number of a code. */
export function statusNumber(code: ErrorCode): number {
  return numberOf.get(code) ?? unknownCode;
}

/** An error from the other side, or for it, with typed details (`google.rpc.Status.details`). */
export class StatusError extends SlipwayError {
  readonly details: readonly Any[];

  constructor(code: ErrorCode, message: string, details: readonly Any[] = [], cause?: unknown) {
    super(code, message, { cause });
    this.name = 'StatusError';
    this.details = details;
  }
}

/** The error behind a `google.rpc.Status`. */
export function errorOfStatus({ code, message, details }: Pick<Status, 'code' | 'message' | 'details'>): StatusError {
  return new StatusError(codeOf.get(code) ?? 'internal', message, details);
}

export type Trailers = Record<string, string>;

export const okTrailers: Trailers = { 'grpc-status': '0' };

/** How an error travels: code, percent-encoded message, and the details in binary. */
export function errorTrailers(error: unknown): Trailers {
  const aborted = error instanceof Error && error.name === 'AbortError';
  const code = error instanceof SlipwayError ? error.code : aborted ? 'canceled' : undefined;
  const number = code === undefined ? unknownCode : (numberOf.get(code) ?? unknownCode);
  const message = errorMessage(error);
  const trailers: Trailers = { 'grpc-status': `${number}`, 'grpc-message': encodeMessage(message.slice(0, 8192)) };
  if (error instanceof StatusError && error.details.length > 0) {
    const status = create(StatusSchema, { code: number, message, details: [...error.details] });
    trailers['grpc-status-details-bin'] = Buffer.from(toBinary(StatusSchema, status)).toString('base64');
  }
  return trailers;
}

/** The error that trailers tell, or undefined when they tell of success. */
export function errorOf(trailers: NodeJS.Dict<string | string[]>): StatusError | undefined {
  const number = Number(single(trailers['grpc-status']) ?? Number.NaN);
  if (number === 0) return undefined;
  const message = decodeMessage(
    single(trailers['grpc-message']) ?? `the other side ended the call with status ${number}`,
  );
  const details = detailsOf(single(trailers['grpc-status-details-bin']));
  return new StatusError(codeOf.get(number) ?? 'internal', message, details);
}

function detailsOf(header: string | undefined): readonly Any[] {
  if (header === undefined) return [];
  try {
    return fromBinary(StatusSchema, Buffer.from(header, 'base64')).details;
  } catch {
    // Details explain an error; broken ones must not hide it.
    return [];
  }
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function encodeMessage(message: string): string {
  return Buffer.from(message)
    .toString('latin1')
    .replace(/[^\x20-\x24\x26-\x7e]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`);
}

function decodeMessage(text: string): string {
  const bytes = text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
