import { BlockList, isIP } from 'node:net';

/** The host without port and brackets. */
export function hostOf(authority: string): string {
  return authority
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

export function isLoopback(authority: string): boolean {
  const host = hostOf(authority);
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return isIP(host) !== 0 && loopback.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}

const linkLocal = new BlockList();
linkLocal.addSubnet('169.254.0.0', 16, 'ipv4');
linkLocal.addSubnet('fe80::', 10, 'ipv6');
linkLocal.addAddress('fd00:ec2::254', 'ipv6');

/** Where clouds tell a machine its credentials, by address or by name. */
export function isMetadataHost(authority: string): boolean {
  const host = hostOf(authority);
  if (isIP(host) !== 0) return linkLocal.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
  return host === 'metadata' || host.startsWith('metadata.') || host.endsWith('.internal') || host === 'instance-data';
}
