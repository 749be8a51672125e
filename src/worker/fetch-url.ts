import { errorMessage, SlipwayError } from '../base/errors.ts';
import { isLoopback, isMetadataHost } from '../base/local-address.ts';

/** Servers that know BuildKit answer it with what a builder wants. */
const userAgent = 'buildkit/v0.32 slipway';
const redirectLimit = 10;

interface FetchOptions {
  readonly method?: 'GET' | 'HEAD';
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/**
 * Asks a server for a URL. What it redirects to is a stranger's word: it must be http or https, gets no login unless it is the same
 * server, and does not lead into this machine or to a cloud's credentials (CVE-2026-33990). Throws unavailable, permission-denied.
 */
export async function fetchUrl(url: string, { method = 'GET', headers, signal }: FetchOptions): Promise<Response> {
  let at = url;
  let sent: Record<string, string> = { ...headers, 'user-agent': userAgent };
  for (let redirects = 0; redirects <= redirectLimit; redirects++) {
    const response = await ask(at, { method, headers: sent, signal }, url);
    const location = isRedirect(response) ? response.headers.get('location') : null;
    if (location === null) return response;
    await response.body?.cancel();
    const next = checkRedirect(new URL(at), location, url);
    if (next.origin !== new URL(at).origin) {
      const { authorization: _, ...rest } = sent;
      sent = rest;
    }
    at = next.href;
  }
  throw failure('unavailable', url, `it redirects more than ${redirectLimit} times`);
}

function isRedirect({ status }: Response): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/** Where a redirect leads. Throws permission-denied. */
export function checkRedirect(from: URL, location: string, url = from.href): URL {
  const refused = (why: string) => failure('permission-denied', url, `${from.host} redirects to ${why}`);
  const to = URL.canParse(location, from) ? new URL(location, from) : undefined;
  if (!to) throw refused('what is no URL');
  if (!/^https?:$/.test(to.protocol)) throw refused(`a ${to.protocol} URL, which is neither http nor https`);
  if (to.hostname === from.hostname) return to;
  if (isMetadataHost(to.host)) throw refused(`${to.host}, where machines ask for their credentials`);
  if (isLoopback(to.host) && !isLoopback(from.host)) throw refused(`${to.host}, which is this machine`);
  return to;
}

async function ask(at: string, init: RequestInit, url: string): Promise<Response> {
  try {
    return await fetch(at, { ...init, redirect: 'manual' });
  } catch (error) {
    init.signal?.throwIfAborted();
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw failure('unavailable', url, errorMessage(cause), error);
  }
}

function failure(code: 'unavailable' | 'permission-denied', url: string, why: string, cause?: unknown): SlipwayError {
  return new SlipwayError(code, `cannot fetch ${JSON.stringify(withoutLogin(url))}: ${why}`, { cause });
}

/** A URL may carry a password; messages and progress do not. */
export function withoutLogin(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  if (parsed.password !== '') parsed.password = 'xxxxx';
  return parsed.href;
}
