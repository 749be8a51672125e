import { optionalString, own, parseJsonObject } from '../oci/json.ts';
import type { RegistryCredentials } from './credentials.ts';
import type { HttpRequest, HttpResponse, HttpTransport } from './http-transport.ts';
import { answerError, RegistryError } from './registry-error.ts';
import type { RegistryEndpoint } from './registry-hosts.ts';
import { checkRealm } from './token-realm.ts';

export interface TokenRequest {
  readonly endpoint: RegistryEndpoint;
  readonly realm: string;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credentials: RegistryCredentials | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface AccessToken {
  readonly value: string;
  /** Milliseconds since the epoch by our own clock. */
  readonly expiresAt: number;
}

const answerLimit = 1 << 20;
const clientId = 'slipway';

/**
 * Gets an access token: by GET with basic authentication or anonymously (docker's token protocol), by OAuth POST for an
 * identity token, and by POST as well where a server does not know GET.
 */
export async function fetchToken(transport: HttpTransport, request: TokenRequest): Promise<AccessToken> {
  const { endpoint, credentials } = request;
  if (credentials && 'registryToken' in credentials) return { value: credentials.registryToken, expiresAt: Infinity };
  const url = checkRealm(request.realm, endpoint);
  // The realm has its own certificate; the registry's own TLS settings hold only for the same authority.
  const tls = url.host === endpoint.authority ? endpoint.tls : undefined;
  const common = { tls, signal: request.signal };
  if (credentials && 'token' in credentials)
    return readToken(await transport.request({ ...common, ...oauthRequest(url, request) }), endpoint);
  const response = await transport.request({ ...common, ...getRequest(url, request) });
  if (credentials && (response.status === 404 || response.status === 405)) {
    response.discard();
    return readToken(await transport.request({ ...common, ...oauthRequest(url, request) }), endpoint);
  }
  return readToken(response, endpoint);
}

function getRequest(realm: URL, { service, scopes, credentials }: TokenRequest): HttpRequest {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (!credentials || !('username' in credentials)) return { method: 'GET', url };
  url.searchParams.set('account', credentials.username);
  return { method: 'GET', url, headers: { authorization: basicAuthorization(credentials) } };
}

function oauthRequest(url: URL, { service, scopes, credentials }: TokenRequest): HttpRequest {
  const form = new URLSearchParams({ client_id: clientId, scope: scopes.join(' ') });
  if (service !== undefined) form.set('service', service);
  if (credentials && 'token' in credentials) {
    form.set('grant_type', 'refresh_token');
    form.set('refresh_token', credentials.token);
  } else if (credentials && 'username' in credentials) {
    form.set('grant_type', 'password');
    form.set('username', credentials.username);
    form.set('password', credentials.secret);
  }
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', url, headers, body: Buffer.from(form.toString()) };
}

export function basicAuthorization({ username, secret }: { username: string; secret: string }): string {
  return `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`;
}

async function readToken(response: HttpResponse, endpoint: RegistryEndpoint): Promise<AccessToken> {
  const what = `token for registry "${endpoint.authority}"`;
  const body = await response.readAll(answerLimit);
  if (response.status !== 200) throw tokenError(endpoint, response, Buffer.from(body).toString());
  const answer = parseJsonObject(body, what, answerLimit);
  const value = optionalString(answer, 'token', what) || optionalString(answer, 'access_token', what);
  if (!value || !/^[\x21-\x7e]+$/.test(value)) {
    throw new RegistryError('unauthenticated', `cannot read ${what}: the token server's answer has none`);
  }
  const stated = own(answer, 'expires_in');
  const seconds = typeof stated === 'number' && stated > 0 ? Math.max(60, stated) : 60;
  // A tenth early, so that a token does not run out on its way.
  return { value, expiresAt: Date.now() + seconds * 900 };
}

function tokenError(endpoint: RegistryEndpoint, response: HttpResponse, body: string): RegistryError {
  const action = `log in to registry "${endpoint.authority}"`;
  if (response.status !== 400 && response.status !== 401 && response.status !== 403) {
    return answerError(action, response.url, response.status, response.headers, body);
  }
  return new RegistryError(
    'unauthenticated',
    `cannot ${action}: its token server refuses the login (${response.status})`,
    {
      status: response.status,
      hint: `log in again with: slipway login ${endpoint.authority}`,
    },
  );
}
