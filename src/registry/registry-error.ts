import { type ErrorCode, errorMessage, SlipwayError, systemErrorCode } from '../base/errors.ts';

interface RegistryErrorOptions {
  readonly status?: number | undefined;
  readonly transient?: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly reasons?: readonly string[];
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** A failed exchange with a registry. `transient` ones are worth another try; `reasons` are the registry's own codes. */
export class RegistryError extends SlipwayError {
  readonly status: number | undefined;
  readonly transient: boolean;
  readonly retryAfterMs: number | undefined;
  readonly reasons: readonly string[];

  constructor(code: ErrorCode, message: string, options: RegistryErrorOptions = {}) {
    super(code, message, { hint: options.hint, cause: options.cause });
    this.name = 'RegistryError';
    this.status = options.status;
    this.transient = options.transient ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.reasons = options.reasons ?? [];
  }
}

export function isTransient(error: unknown): error is RegistryError {
  return error instanceof RegistryError && error.transient;
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): error is RegistryError {
  return error instanceof RegistryError && error.status !== undefined && statuses.includes(error.status);
}

/** A stranger's text made fit for a message: one line, no control characters, bounded. */
export function cleanText(text: string, longest = 300): string {
  const clean = text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]+/g, ' ').trim();
  return clean.length > longest ? `${clean.slice(0, longest)}…` : clean;
}

/** A URL without its query and user: signed URLs are secrets. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

const tlsCodes = /^(?:CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/;

/** Says what kept us from reaching a host at all. */
export function connectionError(url: URL, cause: unknown): RegistryError {
  const code = causeCode(cause);
  const text = cleanText(errorMessage(cause));
  const base = `cannot reach registry "${url.host}"`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new RegistryError('unavailable', `${base}: its name does not resolve (${code})`, {
      // A name server that has no answer yet is worth asking again; a name that does not exist is not.
      transient: code === 'EAI_AGAIN',
      hint: 'check the spelling of the host, the network and the name servers',
      cause,
    });
  }
  if (code === 'ECONNREFUSED') {
    return new RegistryError('unavailable', `${base}: connection refused, nothing listens there`, {
      cause,
      hint: 'check host and port',
    });
  }
  if (/wrong version number|packet length too long|HTTP request/i.test(text)) {
    return new RegistryError('unavailable', `${base}: it does not speak TLS on this port`, {
      hint: 'if it is meant to speak plain HTTP, list it as an insecure registry',
      cause,
    });
  }
  if (tlsCodes.test(code)) {
    return new RegistryError('unavailable', `${base}: its TLS certificate is not accepted: ${text}`, {
      hint: "install the registry's CA certificate on this machine, or list the registry as insecure",
      cause,
    });
  }
  return new RegistryError('unavailable', `${base}: ${text || code}`, { transient: true, cause });
}

function causeCode(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return causeCode(cause.errors[0]);
  const code = systemErrorCode(cause);
  if (code) return code;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}

const transientStatuses = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Turns an unwanted HTTP answer into an error. `action` is such as `pull manifest "docker.io/library/node:20"`. */
export function answerError(
  action: string,
  url: URL,
  status: number,
  headers: AnswerHeaders,
  body: string,
): RegistryError {
  const { reasons, text } = readReasons(body, headers['content-type']);
  const said = text ? `: ${text}` : '';
  const options = {
    status,
    reasons,
    transient: transientStatuses.has(status),
    retryAfterMs: retryAfter(headers['retry-after']),
  };
  const base = `cannot ${action}`;
  switch (status) {
    case 401:
      return new RegistryError('unauthenticated', `${base}: registry "${url.host}" asks for a login (401)${said}`, {
        ...options,
        hint: `log in with: slipway login ${url.host}; a repository that does not exist may get the same answer`,
      });
    case 403:
      return new RegistryError('permission-denied', `${base}: registry "${url.host}" denies access (403)${said}`, {
        ...options,
        hint: 'check the name, and what the account you are logged in with may do',
      });
    case 404:
      return new RegistryError('not-found', `${base}: not found on registry "${url.host}" (404)${said}`, options);
    case 429:
      return new RegistryError(
        'resource-exhausted',
        `${base}: registry "${url.host}" limits the rate of requests (429)${said}`,
        {
          ...options,
          hint: 'wait, or log in: registries allow more to accounts',
        },
      );
    case 407:
      return new RegistryError('unavailable', `${base}: the HTTP proxy wants a login (407)`, options);
    default:
      return new RegistryError(
        status >= 500 ? 'unavailable' : 'failed-precondition',
        `${base}: registry "${url.host}" answered ${status}${said}`,
        options,
      );
  }
}

export interface AnswerHeaders {
  readonly [name: string]: string | string[] | undefined;
}

/** Seconds or a date (RFC 9110, 10.2.3), in milliseconds from now. */
export function retryAfter(value: string | string[] | undefined, now = Date.now()): number | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** distribution-spec, "Error Codes": `{errors: [{code, message, detail}]}`. */
function readReasons(body: string, contentType: unknown): { reasons: readonly string[]; text: string } {
  try {
    const document: unknown = JSON.parse(body);
    if (typeof document === 'object' && document !== null) return reasonsOf(document);
  } catch {
    // Not every proxy between us and the registry answers in JSON.
  }
  if (/^\s*<(?:!doctype|html)/i.test(body)) return { reasons: [], text: 'an HTML page, so this may be no registry' };
  return { reasons: [], text: String(contentType ?? '').startsWith('text/plain') ? cleanText(body) : '' };
}

function reasonsOf(document: object): { reasons: readonly string[]; text: string } {
  const errors: unknown[] = 'errors' in document && Array.isArray(document.errors) ? document.errors.slice(0, 5) : [];
  const found = errors.map((each) => {
    const entry = typeof each === 'object' && each !== null ? each : {};
    const code = 'code' in entry && typeof entry.code === 'string' ? cleanText(entry.code, 60) : '';
    const message = 'message' in entry && typeof entry.message === 'string' ? cleanText(entry.message) : '';
    return { code, text: [code, message].filter((part) => part !== '').join(': ') };
  });
  return { reasons: found.map((each) => each.code), text: found.map((each) => each.text).join('; ') };
}
