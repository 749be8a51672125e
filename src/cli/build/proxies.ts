import { readFileSync } from 'node:fs';
import { systemErrorCode } from '../../base/errors.ts';
import { isJsonObject, type JsonObject, own, parseJsonObject } from '../../oci/json.ts';
import { defaultDockerConfigPath } from '../../registry/docker-config.ts';

const variables: Readonly<Record<string, string>> = {
  httpProxy: 'HTTP_PROXY',
  httpsProxy: 'HTTPS_PROXY',
  ftpProxy: 'FTP_PROXY',
  noProxy: 'NO_PROXY',
  allProxy: 'ALL_PROXY',
};

/** The proxies that docker's config.json names for this daemon, or by default, as build arguments in both cases of letters. */
export function configuredProxies(host: string, path: string = defaultDockerConfigPath()): Record<string, string> {
  const proxies = own(readConfig(path), 'proxies');
  if (!isJsonObject(proxies)) return {};
  const chosen = own(proxies, host) ?? own(proxies, 'default');
  if (!isJsonObject(chosen)) return {};
  return Object.fromEntries(
    Object.entries(variables).flatMap(([key, name]) => {
      const value = own(chosen, key);
      return typeof value === 'string' && value !== ''
        ? [
            [name, value],
            [name.toLowerCase(), value],
          ]
        : [];
    }),
  );
}

function readConfig(path: string): JsonObject {
  try {
    return parseJsonObject(readFileSync(path), `docker config "${path}"`);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return {};
    throw error;
  }
}
