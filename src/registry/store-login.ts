import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemErrorCode } from '../base/errors.ts';
import { writeFileAtomic } from '../base/files.ts';
import { isJsonObject, type JsonObject, own, parseJsonObject } from '../oci/json.ts';
import { changeCredentialHelper } from './credential-helper.ts';
import type { RegistryCredentials } from './credentials.ts';
import { configKeys, helperFor } from './docker-config.ts';

interface StoreOptions {
  /** docker's config.json. */
  readonly path: string;
  readonly environment?: NodeJS.ProcessEnv | undefined;
}

/** Where a login ended up: with a helper, or readable by anyone who can read the file. */
export type StoredLogin = { readonly place: 'helper'; readonly helper: string } | { readonly place: 'file' };

/** Keeps a login as docker does: with the host's credential helper when one is configured, else in the file itself. */
export async function storeLogin(
  host: string,
  login: RegistryCredentials,
  options: StoreOptions,
): Promise<StoredLogin> {
  const config = readForChange(options.path);
  const keys = configKeys(host);
  const key = keys[0] ?? host;
  const helper = helperFor(config, keys);
  const { username, secret } = asPair(login);
  if (helper !== undefined) {
    const input = JSON.stringify({ ServerURL: key, Username: username, Secret: secret });
    await changeCredentialHelper(helper, 'store', input, options.environment);
    writeEntry(options.path, config, key, {});
    return { place: 'helper', helper };
  }
  const auth = Buffer.from(`${username}:${secret}`).toString('base64');
  writeEntry(options.path, config, key, 'token' in login ? { identitytoken: login.token } : { auth });
  return { place: 'file' };
}

/** Forgets a login. False when there was none in the file. */
export async function eraseLogin(host: string, options: StoreOptions): Promise<boolean> {
  const config = readForChange(options.path);
  const keys = configKeys(host);
  const helper = helperFor(config, keys);
  if (helper !== undefined) await changeCredentialHelper(helper, 'erase', keys[0] ?? host, options.environment);
  const auths = own(config, 'auths');
  if (!isJsonObject(auths) || !keys.some((key) => Object.hasOwn(auths, key))) return false;
  const rest = Object.fromEntries(Object.entries(auths).filter(([key]) => !keys.includes(key)));
  writeConfig(options.path, { ...config, auths: rest });
  return true;
}

function asPair(login: RegistryCredentials): { username: string; secret: string } {
  if ('username' in login) return login;
  return { username: '<token>', secret: 'token' in login ? login.token : login.registryToken };
}

function readForChange(path: string): JsonObject {
  try {
    return parseJsonObject(readFileSync(path), `docker config "${path}"`);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return {};
    throw error;
  }
}

function writeEntry(path: string, config: JsonObject, key: string, entry: JsonObject): void {
  const auths = own(config, 'auths');
  writeConfig(path, { ...config, auths: { ...(isJsonObject(auths) ? auths : {}), [key]: entry } });
}

/** What we do not know stays; only the owner may read it. */
function writeConfig(path: string, config: JsonObject): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileAtomic(path, `${JSON.stringify(config, undefined, '\t')}\n`);
}
