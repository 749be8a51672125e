import { type Challenge, parseChallenges } from './challenge.ts';
import type { CredentialSource, RegistryCredentials } from './credentials.ts';
import type { HttpResponse, HttpTransport } from './http-transport.ts';
import type { RegistryEndpoint } from './registry-hosts.ts';
import { type AccessToken, basicAuthorization, fetchToken } from './token-auth.ts';

interface Authority {
  challenge?: Challenge;
  /** By scopes; a promise, so that requests at the same time share one token. */
  readonly tokens: Map<string, Promise<AccessToken>>;
}

/**
 * Knows how each registry wants to be authorised, once it said so, and keeps its tokens until they expire. Credentials
 * are asked for only after a challenge, by the host that made it.
 */
export class Authorizer {
  readonly #transport: HttpTransport;
  readonly #credentials: CredentialSource;
  readonly #authorities = new Map<string, Authority>();

  constructor(transport: HttpTransport, credentials: CredentialSource) {
    this.#transport = transport;
    this.#credentials = credentials;
  }

  /** The Authorization header for a request, or undefined while the registry has not asked for any. */
  async authorization(
    endpoint: RegistryEndpoint,
    scopes: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const authority = this.#authorityOf(endpoint);
    if (!authority.challenge) return undefined;
    if (authority.challenge.scheme === 'basic') return basicHeader(await this.#credentials(endpoint.authority));
    const key = [...scopes].sort().join(' ');
    const known = await authority.tokens.get(key)?.catch(() => undefined);
    if (known && known.expiresAt > Date.now()) return `Bearer ${known.value}`;
    const token = this.#fetch(endpoint, authority.challenge, scopes, signal);
    authority.tokens.set(key, token);
    token.catch(() => authority.tokens.get(key) === token && authority.tokens.delete(key));
    return `Bearer ${(await token).value}`;
  }

  /** Learns from a 401. True when another try can be authorised; the token that failed is forgotten. */
  learn(endpoint: RegistryEndpoint, response: HttpResponse, scopes: readonly string[]): boolean {
    const challenges = parseChallenges(response.headers['www-authenticate']);
    const challenge =
      challenges.find((each) => each.scheme === 'bearer' && each.parameters.has('realm')) ??
      challenges.find((each) => each.scheme === 'basic');
    if (!challenge) return false;
    const authority = this.#authorityOf(endpoint);
    authority.challenge = challenge;
    authority.tokens.delete([...scopes].sort().join(' '));
    return true;
  }

  async #fetch(
    endpoint: RegistryEndpoint,
    challenge: Challenge,
    scopes: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<AccessToken> {
    const { parameters } = challenge;
    return fetchToken(this.#transport, {
      endpoint,
      realm: parameters.get('realm') ?? '',
      service: parameters.get('service'),
      // Without scopes of our own (`GET /v2/`) the registry's word counts.
      scopes: scopes.length > 0 ? scopes : (parameters.get('scope')?.split(' ') ?? []),
      credentials: await this.#credentials(endpoint.authority),
      signal,
    });
  }

  #authorityOf({ scheme, authority }: RegistryEndpoint): Authority {
    const key = `${scheme}://${authority}`;
    let known = this.#authorities.get(key);
    if (!known) {
      known = { tokens: new Map() };
      this.#authorities.set(key, known);
    }
    return known;
  }
}

function basicHeader(credentials: RegistryCredentials | undefined): string | undefined {
  if (!credentials) return undefined;
  if ('username' in credentials) return basicAuthorization(credentials);
  return `Bearer ${'token' in credentials ? credentials.token : credentials.registryToken}`;
}
