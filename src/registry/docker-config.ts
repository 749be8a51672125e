import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { invalidArgument, systemErrorCode } from '../base/errors.ts';
import { isJsonObject, type JsonObject, optionalString, own, parseJsonObject } from '../oci/json.ts';
import { askCredentialHelper } from './credential-helper.ts';
import type { CredentialSource, RegistryCredentials } from './credentials.ts';

/** The key under which docker keeps Docker Hub's login. */
const hubKey = 'https://index.docker.io/v1/';
const hubHosts = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

export function defaultDockerConfigPath(environment: NodeJS.ProcessEnv = process.env): string {
  return join(environment.DOCKER_CONFIG || join(environment.HOME || homedir(), '.docker'), 'config.json');
}

interface DockerConfigOptions {
  readonly path?: string | undefined;
  readonly environment?: NodeJS.ProcessEnv | undefined;
}

/**
 * Credentials from docker's `config.json`: the host's helper in `credHelpers`, else `credsStore`, else `auths`. The file is
 * read at every call, since a login may happen while a daemon lives. A failing helper is an error: going on
 * as somebody else is not what was configured (CVE-2021-41092).
 */
export function dockerConfigCredentials(options: DockerConfigOptions = {}): CredentialSource {
  const environment = options.environment ?? process.env;
  const path = options.path ?? defaultDockerConfigPath(environment);
  return async (host) => {
    const config = readConfig(path);
    if (!config) return undefined;
    const keys = configKeys(host);
    const helper = helperFor(config, keys);
    if (helper === undefined) return credentialsInFile(config, keys);
    for (const key of keys) {
      const found = await askCredentialHelper(helper, key, environment);
      if (found) return found;
    }
    return credentialsInFile(config, keys);
  };
}

function readConfig(path: string): JsonObject | undefined {
  try {
    return parseJsonObject(readFileSync(path), `docker config "${path}"`);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** A host's names in the file, the one that docker writes first. */
export function configKeys(host: string): readonly string[] {
  if (hubHosts.has(host)) return [hubKey];
  return [host, `https://${host}`, `https://${host}/`, `http://${host}`, `https://${host}/v1/`, `https://${host}/v2/`];
}

/** The credential helper that is configured for a host. */
export function helperFor(config: JsonObject, keys: readonly string[]): string | undefined {
  const helpers = own(config, 'credHelpers');
  if (isJsonObject(helpers)) {
    for (const key of [...keys, ...keys.map((each) => each.replace(/^https?:\/\/|\/.*$/g, ''))]) {
      const helper = own(helpers, key);
      if (typeof helper === 'string' && helper !== '') return helper;
    }
  }
  return optionalString(config, 'credsStore', 'docker config') || undefined;
}

function credentialsInFile(config: JsonObject, keys: readonly string[]): RegistryCredentials | undefined {
  const auths = own(config, 'auths');
  if (!isJsonObject(auths)) return undefined;
  for (const key of keys) {
    const entry = own(auths, key);
    if (isJsonObject(entry)) return readEntry(entry, key);
  }
  return undefined;
}

function readEntry(entry: JsonObject, key: string): RegistryCredentials | undefined {
  const what = `docker config, login for "${key}"`;
  const registryToken = optionalString(entry, 'registrytoken', what);
  if (registryToken) return { registryToken };
  const token = optionalString(entry, 'identitytoken', what);
  if (token) return { token };
  const auth = optionalString(entry, 'auth', what);
  if (auth) return decodeAuth(auth, key);
  const username = optionalString(entry, 'username', what);
  const secret = optionalString(entry, 'password', what);
  return username && secret ? { username, secret } : undefined;
}

function decodeAuth(auth: string, key: string): RegistryCredentials {
  const text = Buffer.from(auth, 'base64').toString();
  const colon = text.indexOf(':');
  if (colon <= 0) {
    throw invalidArgument(
      `cannot read the login for "${key}" in docker's config: "auth" is not base64 of user:password`,
      {
        hint: `log in again with: slipway login ${key}`,
      },
    );
  }
  // Some tools pad the password with NULs.
  return { username: text.slice(0, colon), secret: text.slice(colon + 1).replace(/\0+$/, '') };
}
