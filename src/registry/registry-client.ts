import { Authorizer } from './authorizer.ts';
import { anonymous, type CredentialSource } from './credentials.ts';
import { createHttpTransport, type HttpResponse, type HttpTransport } from './http-transport.ts';
import { answerError, RegistryError, shownUrl } from './registry-error.ts';
import { createRegistryHosts, endpointUrl, type RegistryEndpoint, type RegistryHosts } from './registry-hosts.ts';
import { defaultRetryPolicy, type RetryNotice, type RetryPolicy, retrying } from './retry.ts';

export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/v2/`, or a whole URL that the registry gave (an upload's Location). */
  readonly path: string | URL;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Opened anew for every try. */
  readonly body?: (() => Uint8Array | AsyncIterable<Uint8Array>) | undefined;
  /** Such as `repository:library/node:pull`. */
  readonly scopes: readonly string[];
  /** Statuses that are answers; every other one becomes an error. */
  readonly accept: readonly number[];
  /** For errors: what we cannot do when this fails, such as `pull manifest "…"`. */
  readonly action: string;
  readonly signal?: AbortSignal | undefined;
  /** Tries in all; the policy's when absent. */
  readonly attempts?: number;
}

export interface RegistryClientOptions {
  readonly hosts?: RegistryHosts | undefined;
  readonly credentials?: CredentialSource | undefined;
  readonly transport?: HttpTransport | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined;
}

const mostRedirects = 10;
const redirects = new Set([301, 302, 303, 307, 308]);
const errorBodyLimit = 64 << 10;

/** Talks to registries: authorises, follows redirects, retries. One client serves one user's credentials. */
export class RegistryClient {
  readonly hosts: RegistryHosts;
  readonly retryPolicy: RetryPolicy;
  readonly onRetry: ((notice: RetryNotice) => void) | undefined;
  readonly #transport: HttpTransport;
  readonly #authorizer: Authorizer;
  readonly #withoutTls = new Set<string>();

  constructor(options: RegistryClientOptions = {}) {
    this.hosts = options.hosts ?? createRegistryHosts();
    this.retryPolicy = { ...defaultRetryPolicy, ...options.retry };
    this.onRetry = options.onRetry;
    this.#transport = options.transport ?? createHttpTransport();
    this.#authorizer = new Authorizer(this.#transport, options.credentials ?? anonymous);
  }

  close(): void {
    this.#transport.close();
  }

  /** One exchange with one endpoint, with tries as the policy says. Throws RegistryError. */
  async send(endpoint: RegistryEndpoint, request: RegistryRequest): Promise<HttpResponse> {
    const policy =
      request.attempts === undefined ? this.retryPolicy : { ...this.retryPolicy, attempts: request.attempts };
    return retrying(() => this.#sendOverKnownScheme(endpoint, request), {
      policy,
      signal: request.signal,
      onRetry: this.onRetry,
    });
  }

  /** The endpoint as it can be reached: an insecure registry without TLS falls back to plain HTTP, and stays there. */
  reachable(endpoint: RegistryEndpoint): RegistryEndpoint {
    return this.#withoutTls.has(endpoint.authority) ? { ...endpoint, scheme: 'http', tls: undefined } : endpoint;
  }

  async #sendOverKnownScheme(endpoint: RegistryEndpoint, request: RegistryRequest): Promise<HttpResponse> {
    try {
      return await this.#sendOnce(this.reachable(endpoint), request);
    } catch (error) {
      const noTls = error instanceof RegistryError && error.status === undefined && error.code === 'unavailable';
      if (!endpoint.allowHttp || !noTls || this.#withoutTls.has(endpoint.authority)) throw error;
      const plain: RegistryEndpoint = { ...endpoint, scheme: 'http', tls: undefined };
      const response = await this.#sendOnce(plain, request);
      this.#withoutTls.add(endpoint.authority);
      return response;
    }
  }

  async #sendOnce(endpoint: RegistryEndpoint, request: RegistryRequest): Promise<HttpResponse> {
    for (let tries = 1; ; tries++) {
      const response = await this.#follow(endpoint, request);
      if (request.accept.includes(response.status)) return checkEncoding(response, request);
      const learnt = response.status === 401 && tries === 1 && isSameOrigin(response.url, endpoint);
      if (learnt && this.#authorizer.learn(endpoint, response, request.scopes)) {
        response.discard();
        continue;
      }
      throw await readAnswerError(response, request, endpoint);
    }
  }

  /** Redirects of GET and HEAD are followed; the Authorization header never leaves the origin that asked for it. */
  async #follow(endpoint: RegistryEndpoint, request: RegistryRequest): Promise<HttpResponse> {
    let url = typeof request.path === 'string' ? endpointUrl(endpoint, request.path, request.query) : request.path;
    let trusted = isSameOrigin(url, endpoint);
    for (let hops = 0; ; hops++) {
      const authorization = trusted
        ? await this.#authorizer.authorization(endpoint, request.scopes, request.signal)
        : undefined;
      const response = await this.#transport.request({
        method: request.method,
        url,
        headers: { ...request.headers, ...(authorization ? { authorization } : {}) },
        body: request.body?.(),
        tls: trusted ? endpoint.tls : undefined,
        signal: request.signal,
      });
      const location = response.headers.location;
      const followed = request.method === 'GET' || request.method === 'HEAD';
      if (!followed || !redirects.has(response.status) || location === undefined) return response;
      response.discard();
      if (hops >= mostRedirects) throw redirectError(request, url, `more than ${mostRedirects} redirects`);
      url = redirectTarget(request, url, location);
      // Once away, a way back is not trusted either: the place between could have chosen the target.
      trusted &&= isSameOrigin(url, endpoint);
    }
  }
}

function isSameOrigin(url: URL, { scheme, authority }: RegistryEndpoint): boolean {
  return url.origin === new URL(`${scheme}://${authority}`).origin;
}

function redirectTarget(request: RegistryRequest, from: URL, location: string): URL {
  const to = URL.parse(location, from);
  if (!to || (to.protocol !== 'https:' && to.protocol !== 'http:')) {
    throw redirectError(request, from, 'the redirect is not to an http or https URL');
  }
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw redirectError(request, from, `the redirect to "${shownUrl(to)}" leaves HTTPS`);
  }
  return to;
}

function redirectError(request: RegistryRequest, url: URL, why: string): RegistryError {
  return new RegistryError('failed-precondition', `cannot ${request.action}: "${shownUrl(url)}": ${why}`);
}

/** We ask for identity; other bytes would not have the digest that they are wanted for. */
function checkEncoding(response: HttpResponse, request: RegistryRequest): HttpResponse {
  const encoding = response.headers['content-encoding'];
  if (encoding === undefined || encoding === '' || encoding === 'identity' || request.method === 'HEAD')
    return response;
  response.discard();
  throw new RegistryError(
    'failed-precondition',
    `cannot ${request.action}: "${response.url.host}" answered with Content-Encoding "${encoding}", which was not asked for`,
  );
}

async function readAnswerError(
  response: HttpResponse,
  request: RegistryRequest,
  endpoint: RegistryEndpoint,
): Promise<RegistryError> {
  const bytes = request.method === 'HEAD' ? '' : Buffer.from(await response.readAll(errorBodyLimit).catch(() => ''));
  response.discard();
  const body = bytes.toString();
  const error = answerError(request.action, response.url, response.status, response.headers, body);
  if (response.status === 400 && endpoint.scheme === 'http' && /HTTPS server/i.test(body)) {
    return new RegistryError(
      'unavailable',
      `cannot reach registry "${endpoint.authority}": it speaks HTTPS, not plain HTTP`,
      {
        hint: 'give its CA certificate for this host, or list it as an insecure registry',
      },
    );
  }
  return error;
}
