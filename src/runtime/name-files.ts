import { readFileSync } from 'node:fs';
import { invalidArgument } from '../base/errors.ts';
import type { ContainerSpec } from './runtime.ts';

/** What stands in a container's /etc/hosts, /etc/hostname and /etc/resolv.conf; they are mounts and never part of a layer. */
export function nameFiles(spec: ContainerSpec): { readonly [path: string]: string } {
  const hostname = spec.hostname ?? 'localhost';
  return {
    '/etc/hosts': hostsFile(spec, hostname),
    '/etc/hostname': `${hostname}\n`,
    '/etc/resolv.conf': spec.network === 'none' ? '' : resolvConf(hostResolvConf(), spec.network === 'host'),
  };
}

function hostsFile({ extraHosts = [] }: ContainerSpec, hostname: string): string {
  const lines = ['127.0.0.1\tlocalhost', '::1\tlocalhost ip6-localhost ip6-loopback'];
  lines.push('fe00::\tip6-localnet', 'ff00::\tip6-mcastprefix', 'ff02::1\tip6-allnodes', 'ff02::2\tip6-allrouters');
  if (hostname !== 'localhost') lines.push(`127.0.1.1\t${hostname}`);
  return `${[...lines, ...extraHosts.map(hostLine)].join('\n')}\n`;
}

/** `name:ip`, where the address may hold colons itself. */
function hostLine(entry: string): string {
  const at = entry.indexOf(':');
  const name = entry.slice(0, at);
  const address = entry.slice(at + 1).replace(/^\[(.*)\]$/, '$1');
  if (at < 1 || address === '' || /[\s\0]/.test(entry)) {
    throw invalidArgument(`cannot add host ${JSON.stringify(entry)}: want name:address`);
  }
  return `${address}\t${name}`;
}

function hostResolvConf(): string {
  const files = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];
  let first = '';
  for (const file of files) {
    try {
      const text = readFileSync(file, 'utf8');
      first ||= text;
      // A stub resolver on the host's loopback is out of reach: systemd keeps the real servers in its second file.
      if (nameServers(text).some((server) => !isLoopback(server))) return text;
    } catch {}
  }
  return first;
}

/** Without name servers on the host's loopback, which a network namespace of its own cannot reach; docker's fallback is 8.8.8.8. */
export function resolvConf(host: string, sharesHostNetwork: boolean): string {
  if (sharesHostNetwork) return host;
  const lines = host.split('\n').filter((line) => !isLoopback(nameServers(line)[0] ?? ''));
  if (nameServers(lines.join('\n')).length === 0) lines.unshift('nameserver 8.8.8.8', 'nameserver 8.8.4.4');
  return `${lines.join('\n').trimEnd()}\n`;
}

function nameServers(text: string): string[] {
  return [...text.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].map((match) => match[1] ?? '');
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
