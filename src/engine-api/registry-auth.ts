import type { IncomingMessage } from 'node:http';
import { invalidArgument } from '../base/errors.ts';
import type { CredentialSource, RegistryCredentials } from '../registry/credentials.ts';

interface AuthConfig {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
  readonly serveraddress?: string;
}

const hubHost = 'registry-1.docker.io';

/** The login that the client sent for the registry of `domain`; no other host gets it. Throws invalid-argument. */
export function credentialsOf(message: IncomingMessage, domain: string): CredentialSource {
  const header = message.headers['x-registry-auth'];
  if (typeof header !== 'string' || header === '') return async () => undefined;
  return credentialsFor(parseAuth(header), domain);
}

export function credentialsFor(login: AuthConfig, domain: string): CredentialSource {
  const credentials = credentialsIn(login);
  const wanted = domain === 'docker.io' ? hubHost : domain;
  return async (host) => (host === wanted ? credentials : undefined);
}

function parseAuth(header: string): AuthConfig {
  try {
    const value: unknown = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below, without what was sent.
  }
  throw invalidArgument('the header X-Registry-Auth is broken');
}

function credentialsIn(login: AuthConfig): RegistryCredentials | undefined {
  if (login.identitytoken) return { token: login.identitytoken };
  if (login.registrytoken) return { registryToken: login.registrytoken };
  return login.username ? { username: login.username, secret: login.password ?? '' } : undefined;
}

/** `https://index.docker.io/v1/` → `docker.io`; `registry.example:5000/` → `registry.example:5000`. */
export function domainOf(serverAddress: string): string {
  const host = serverAddress.replace(/^https?:\/\//, '').split('/')[0] ?? '';
  return ['', 'index.docker.io', 'docker.io', hubHost].includes(host) ? 'docker.io' : host;
}
