/**
 * The few kinds of failure that a caller can act on, chosen as containerd and gRPC do; the wire maps each once
 * (gRPC code, HTTP status). A message says the action, the value in quotes, then what was found; `hint` says the way out.
 */
export type ErrorCode =
  | 'not-found'
  | 'already-exists'
  | 'invalid-argument'
  | 'failed-precondition'
  | 'permission-denied'
  | 'unauthenticated'
  | 'resource-exhausted'
  | 'unavailable'
  | 'unimplemented'
  | 'canceled'
  | 'deadline-exceeded'
  | 'data-loss'
  | 'internal'
  /** From others, and for them: something that has no code. */
  | 'unknown';

export interface SlipwayErrorOptions {
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** A failure with a code that callers switch on, and optionally a hint for people. */
export class SlipwayError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: SlipwayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SlipwayError';
    this.code = code;
    this.hint = options.hint;
  }
}

export function notFound(message: string, options?: SlipwayErrorOptions): SlipwayError {
  return new SlipwayError('not-found', message, options);
}

export function invalidArgument(message: string, options?: SlipwayErrorOptions): SlipwayError {
  return new SlipwayError('invalid-argument', message, options);
}

export function isErrorCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof SlipwayError && error.code === code;
}

/** The code of a system call's failure, such as `ENOENT`, or undefined for any other value. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^E[A-Z0-9_]+$/.test(error.code) ? error.code : undefined;
}

/** What went wrong first, where cleaning up after it failed as well. */
export function firstError(error: unknown): unknown {
  return error instanceof SuppressedError ? firstError(error.suppressed) : error;
}

export function errorMessage(error: unknown): string {
  const first = firstError(error);
  return first instanceof Error ? first.message : String(first);
}
