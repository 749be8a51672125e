import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { getCACertificates } from 'node:tls';
import { systemErrorCode } from '../base/errors.ts';
import { createResponse, transportError } from './http-response.ts';
import { StallWatch } from './stall-watch.ts';

/** What a TLS connection needs beyond the system's trust. PEM texts. */
export interface TlsOptions {
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  /** Accepts any certificate: only for registries that the user listed as insecure. */
  readonly skipVerify?: boolean;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly tls?: TlsOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** To be read to its end or given to `discard`; fails when it is cut short or stalls. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The whole body; resource-exhausted past the limit. */
  readAll(limit: number): Promise<Uint8Array>;
  /** Lets go of the body and, unless it is short, of the connection. */
  discard(): void;
}

export interface TransportOptions {
  /** Longest silence of the peer, in milliseconds: no answer, or no byte of the body. */
  readonly stallMs?: number;
  readonly userAgent?: string;
}

/** One HTTP exchange at a time over kept connections; no redirects, no retries, no credentials. */
export interface HttpTransport {
  request(request: HttpRequest): Promise<HttpResponse>;
  close(): void;
}

/** A transport over node:http and node:https that honours the system's CA store and HTTP_PROXY, HTTPS_PROXY, NO_PROXY. */
export function createHttpTransport(options: TransportOptions = {}): HttpTransport {
  const stallMs = options.stallMs ?? 60_000;
  const userAgent = options.userAgent ?? 'slipway';
  const plain = new http.Agent({ keepAlive: true, proxyEnv: proxyEnvironment() });
  const secure = new Map<TlsOptions | undefined, https.Agent>();
  const agentFor = ({ url, tls }: HttpRequest) => {
    if (url.protocol === 'http:') return plain;
    let agent = secure.get(tls);
    if (!agent) {
      agent = createSecureAgent(tls);
      secure.set(tls, agent);
    }
    return agent;
  };
  return {
    request: (request) => exchange(request, agentFor(request), stallMs, userAgent),
    close() {
      plain.destroy();
      for (const agent of secure.values()) agent.destroy();
    },
  };
}

function createSecureAgent(tls: TlsOptions = {}): https.Agent {
  return new https.Agent({
    keepAlive: true,
    proxyEnv: proxyEnvironment(),
    ca: [...getCACertificates('default'), ...getCACertificates('system'), ...(tls.ca ?? [])],
    ...(tls.cert ? { cert: tls.cert } : {}),
    ...(tls.key ? { key: tls.key } : {}),
    rejectUnauthorized: tls.skipVerify !== true,
  });
}

/** As Go's clients have it: this machine itself is never behind a proxy. */
function proxyEnvironment(): NodeJS.ProcessEnv {
  const listed = process.env.no_proxy ?? process.env.NO_PROXY;
  const without = [...(listed ? [listed] : []), 'localhost', '127.0.0.1-127.255.255.255', '[::1]'].join(',');
  return { ...process.env, NO_PROXY: without, no_proxy: without };
}

async function exchange(
  request: HttpRequest,
  agent: http.Agent,
  stallMs: number,
  userAgent: string,
): Promise<HttpResponse> {
  const { url, method, body, signal } = request;
  signal?.throwIfAborted();
  const headers = { 'user-agent': userAgent, 'accept-encoding': 'identity', ...request.headers };
  const open = url.protocol === 'http:' ? http.request : https.request;
  for (;;) {
    const outgoing = open(url, { method, headers, agent, ...(signal ? { signal } : {}) });
    const watch = new StallWatch(outgoing, url, stallMs);
    try {
      const incoming = await answerOf(outgoing, body, watch);
      return createResponse(request, outgoing, incoming, watch);
    } catch (error) {
      watch.stop();
      outgoing.destroy();
      if (!wasStale(outgoing, error) || !isReplayable(request)) throw transportError(url, error, signal);
    }
  }
}

/** The server closed a kept connection just as we took it up again: nothing was wrong, and nothing was answered. */
function wasStale(outgoing: ClientRequest, error: unknown): boolean {
  const code = systemErrorCode(error);
  return outgoing.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
}

function isReplayable({ method, body }: HttpRequest): boolean {
  return body === undefined && (method === 'GET' || method === 'HEAD' || method === 'POST');
}

async function answerOf(
  outgoing: ClientRequest,
  body: HttpRequest['body'],
  watch: StallWatch,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  outgoing.on('response', resolve);
  outgoing.on('error', reject);
  watch.start();
  sendBody(outgoing, body, watch).catch((error: Error) => {
    reject(error);
    outgoing.destroy();
  });
  const incoming = await promise;
  watch.stop();
  return incoming;
}

async function sendBody(outgoing: ClientRequest, body: HttpRequest['body'], watch: StallWatch): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) {
    outgoing.end(body);
    return;
  }
  let answered = false;
  outgoing.once('response', () => {
    answered = true;
  });
  for await (const chunk of body) {
    // An answer before the end of the body is a refusal: the rest would be sent for nothing.
    if (outgoing.destroyed || answered) return;
    watch.start();
    if (!outgoing.write(chunk)) await writable(outgoing);
  }
  outgoing.end();
}

function writable(outgoing: ClientRequest): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const event of ['drain', 'response', 'close', 'error']) outgoing.once(event, resolve);
  return promise.finally(() => {
    for (const event of ['drain', 'response', 'close', 'error']) outgoing.off(event, resolve);
  });
}
