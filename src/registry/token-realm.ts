import { isIP } from 'node:net';
import { hostOf, isLoopback, isMetadataHost } from '../base/local-address.ts';
import { cleanText, RegistryError } from './registry-error.ts';
import type { RegistryEndpoint } from './registry-hosts.ts';

/**
 * Checks where a registry sends us for a token before anything is sent there. A realm comes from a stranger: it must not lower
 * TLS to plain HTTP (CVE-2019-10214) and must not point into the host or the network around it (CVE-2020-15157 and its kin):
 * an address or a local name is accepted only when the registry itself is there.
 */
export function checkRealm(realm: string, endpoint: RegistryEndpoint): URL {
  const url = URL.parse(realm);
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.username !== '' || url.password !== '') {
    throw realmError(endpoint, realm, 'it is not an http or https URL');
  }
  if (url.protocol === 'http:' && endpoint.scheme === 'https') {
    throw realmError(endpoint, realm, 'the registry speaks HTTPS, its token server would get the login unencrypted');
  }
  const host = hostOf(url.host);
  const registryHost = hostOf(endpoint.authority);
  const bothLocal = isLoopback(host) && isLoopback(registryHost);
  if (host !== registryHost && !bothLocal && (isIP(host) !== 0 || isLoopback(host) || isMetadataHost(host))) {
    throw realmError(endpoint, realm, 'it points to an address that is not the registry');
  }
  return url;
}

function realmError(endpoint: RegistryEndpoint, realm: string, why: string): RegistryError {
  return new RegistryError(
    'permission-denied',
    `cannot log in to registry "${endpoint.authority}": its token server ${JSON.stringify(cleanText(realm, 120))} is refused: ${why}`,
  );
}
