import { BlockList, isIP } from 'node:net';
import { invalidArgument } from '../base/errors.ts';
import { hostOf, isLoopback } from '../base/local-address.ts';
import { readCertificates } from './certificates.ts';
import type { TlsOptions } from './http-transport.ts';

/** One place that can answer for a registry: the registry itself, or a mirror of it. */
export interface RegistryEndpoint {
  readonly scheme: 'https' | 'http';
  /** Host, with a port when it is not the scheme's own. */
  readonly authority: string;
  /** Path before the repository: `/v2` or, for a mirror that serves several registries, `/v2/<prefix>`. */
  readonly prefix: string;
  readonly isMirror: boolean;
  /** The registry that a mirror is asked for. */
  readonly namespace: string;
  readonly tls?: TlsOptions | undefined;
  /** May be spoken to over plain HTTP when it turns out to have no TLS. */
  readonly allowHttp?: boolean | undefined;
}

/** Where the images of a domain come from: mirrors first, the registry itself last. */
export interface RegistryHosts {
  endpointsFor(domain: string): readonly RegistryEndpoint[];
  /** Only the registry itself: pushes never go to a mirror. */
  originFor(domain: string): RegistryEndpoint;
}

export interface RegistryHostSettings {
  /** Hosts or URLs in order of preference. */
  readonly mirrors?: readonly string[] | undefined;
  /** Plain HTTP. */
  readonly http?: boolean | undefined;
  /** TLS without checking certificates, and plain HTTP where there is no TLS. */
  readonly insecure?: boolean | undefined;
  readonly tls?: TlsOptions | undefined;
}

export interface RegistryHostsOptions {
  /** By domain, as in references (`docker.io`, `localhost:5000`); mirrors' own hosts may be listed as well. */
  readonly registries?: Readonly<Record<string, RegistryHostSettings>> | undefined;
  /** docker's `insecure-registries`: hosts, or networks such as `10.0.0.0/8`. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** Certificates by host, in docker's layout; see `readCertificates`. */
  readonly certificateDirectory?: string | undefined;
}

const hubHost = 'registry-1.docker.io';

export function createRegistryHosts(options: RegistryHostsOptions = {}): RegistryHosts {
  const settings = new Map(Object.entries(options.registries ?? {}));
  const networks = insecureNetworks(options.insecureRegistries ?? []);
  const insecureNames = new Set(options.insecureRegistries ?? []);
  const isInsecure = (authority: string) => {
    const host = hostOf(authority);
    if (insecureNames.has(authority) || insecureNames.has(host)) return true;
    return isIP(host) !== 0 && networks.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
  };
  const endpoint = (authority: string, domain: string, path: string, forced?: 'https' | 'http'): RegistryEndpoint => {
    const own = settings.get(authority) ?? (authority === hubHost ? settings.get('docker.io') : undefined) ?? {};
    const certificates = own.tls ?? certificatesOf(options.certificateDirectory, authority);
    const insecure = own.insecure === true || isInsecure(authority);
    const plain = forced
      ? forced === 'http'
      : own.http === true || (!insecure && !certificates && isLoopback(authority));
    const tls = insecure ? { ...certificates, skipVerify: true } : certificates;
    return {
      scheme: plain ? 'http' : 'https',
      authority,
      prefix: `/v2${path}`,
      isMirror: path !== '' || authority !== originAuthority(domain),
      namespace: domain,
      tls: plain ? undefined : tls,
      allowHttp: insecure && !plain && forced === undefined,
    };
  };
  const originFor = memoize((domain: string) => endpoint(originAuthority(domain), domain, ''));
  const endpointsFor = memoize((domain: string) => [
    ...(settings.get(domain)?.mirrors ?? []).map((mirror) => {
      const { authority, path, scheme } = readMirror(mirror);
      return endpoint(authority, domain, path, scheme);
    }),
    originFor(domain),
  ]);
  return { endpointsFor, originFor };
}

// TLS settings are compared by identity when connections are kept, so a domain's endpoints are made once.
function memoize<T>(make: (key: string) => T): (key: string) => T {
  const made = new Map<string, T>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}

function certificatesOf(directory: string | undefined, authority: string): TlsOptions | undefined {
  return directory === undefined
    ? undefined
    : readCertificates(directory, authority === hubHost ? 'docker.io' : authority);
}

function originAuthority(domain: string): string {
  return domain === 'docker.io' ? hubHost : domain;
}

function readMirror(text: string): { authority: string; path: string; scheme: 'https' | 'http' | undefined } {
  const stated = /^(https?):\/\//.exec(text)?.[1];
  const url = URL.parse(stated ? text : `https://${text}`);
  if (!url || url.host === '' || url.username !== '' || url.search !== '') {
    throw invalidArgument(`cannot use ${JSON.stringify(text)} as a registry mirror: want a host or an https:// URL`);
  }
  const path = url.pathname.replace(/^\/v2(?=\/|$)/, '').replace(/\/+$/, '');
  return { authority: url.host, path, scheme: stated === 'http' || stated === 'https' ? stated : undefined };
}

function insecureNetworks(list: readonly string[]): BlockList {
  const networks = new BlockList();
  for (const text of list) {
    const [address = '', length] = text.split('/');
    const family = isIP(address);
    if (length !== undefined && family !== 0)
      networks.addSubnet(address, Number(length), family === 6 ? 'ipv6' : 'ipv4');
  }
  return networks;
}

/** The URL of a path below the repository root of an endpoint. */
export function endpointUrl(
  endpoint: RegistryEndpoint,
  path: string,
  query: Readonly<Record<string, string>> = {},
): URL {
  const url = new URL(`${endpoint.scheme}://${endpoint.authority}${endpoint.prefix}/${path}`);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  if (endpoint.isMirror) url.searchParams.set('ns', endpoint.namespace);
  return url;
}
