import { UsageError } from '../flags.ts';

export interface PortOptions {
  readonly exposed: Record<string, object>;
  readonly bindings: Record<string, { readonly HostIp: string; readonly HostPort: string }[]>;
}

/** `-p [[ip:]hostPort:]port[-port][/proto]` and `--expose port[-port][/proto]`. */
export function readPorts(published: readonly string[], exposed: readonly string[]): PortOptions {
  const options: PortOptions = { exposed: {}, bindings: {} };
  for (const word of published) publish(word, options);
  for (const word of exposed) {
    const { range, protocol } = splitProtocol(word, word);
    for (let port = range.first; port <= range.last; port++) options.exposed[`${port}/${protocol}`] = {};
  }
  return options;
}

function publish(word: string, { exposed, bindings }: PortOptions): void {
  const match = /^(?:(?:(\[[0-9a-fA-F:.]+\]|[^:[\]]*):)?([0-9-]*):)?([0-9-]+(?:\/[a-z]+)?)$/.exec(word);
  if (!match) throw portError(word);
  const [, ip = '', host = '', inner = ''] = match;
  const { range, protocol } = splitProtocol(inner, word);
  const hostRange = host === '' ? undefined : rangeOf(host, word);
  const count = range.last - range.first;
  const hostCount = hostRange ? hostRange.last - hostRange.first : 0;
  if (hostRange && hostCount !== count && count !== 0)
    throw new UsageError(`invalid ranges specified for container and host Ports: ${inner} and ${host}`, 125);
  for (let i = 0; i <= count; i++) {
    const port = `${range.first + i}/${protocol}`;
    exposed[port] = {};
    // A range of the host for one port: any of them.
    const hostPort = !hostRange ? '' : hostCount === count ? `${hostRange.first + i}` : host;
    bindings[port] = [...(bindings[port] ?? []), { HostIp: ip.replace(/^\[|\]$/g, ''), HostPort: hostPort }];
  }
}

interface Range {
  readonly first: number;
  readonly last: number;
}

function splitProtocol(text: string, word: string): { readonly range: Range; readonly protocol: string } {
  const [ports = '', protocol = 'tcp'] = text.split('/');
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) throw new UsageError(`invalid proto: ${protocol}`, 125);
  return { range: rangeOf(ports, word), protocol };
}

function rangeOf(text: string, word: string): Range {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (!match || last < first || last > 65_535) throw portError(word);
  return { first, last };
}

function portError(word: string): UsageError {
  return new UsageError(`invalid port ${JSON.stringify(word)}: want [[ip:]hostPort:]containerPort[/protocol]`, 125);
}
