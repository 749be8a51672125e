import { notFound } from '../../base/errors.ts';
import type { CommandRun } from '../command.ts';
import { containerPath } from '../container/container-path.ts';
import { openEngine } from '../engine.ts';
import { alignColumns } from '../format/table.ts';
import { printLines } from '../output.ts';
import { cleanText } from '../progress/terminal-text.ts';

export const runTop: CommandRun = async ({ args: [name = '', ...options] }, { locations }) => {
  const engine = await openEngine(locations);
  const { Titles, Processes } = await engine.json<{ Titles: string[]; Processes: string[][] | null }>(
    'GET',
    `${containerPath(name)}/top`,
    { query: { ps_args: options.length > 0 ? options.join(' ') : undefined } },
  );
  printLines(alignColumns([Titles, ...(Processes ?? []).map((row) => row.map(cleanText))]));
  return 0;
};

type Bindings = Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>>;

export const runPort: CommandRun = async ({ args: [name = '', wanted] }, { locations }) => {
  const engine = await openEngine(locations);
  const { NetworkSettings } = await engine.json<{ NetworkSettings: { Ports?: Bindings | null } }>(
    'GET',
    `${containerPath(name)}/json`,
  );
  const ports = NetworkSettings.Ports ?? {};
  const lines = (port: string, prefix: string) =>
    (ports[port] ?? []).map(({ HostIp, HostPort }) => {
      return `${prefix}${HostIp.includes(':') ? `[${HostIp}]` : HostIp}:${HostPort}`;
    });
  if (wanted === undefined) {
    printLines(Object.keys(ports).flatMap((port) => lines(port, `${port} -> `)));
    return 0;
  }
  const port = wanted.includes('/') ? wanted : `${wanted}/tcp`;
  const found = lines(port, '');
  if (found.length === 0) throw notFound(`no public port '${port}' published for ${name}`);
  printLines(found);
  return 0;
};

const kinds = ['C', 'A', 'D'];

export const runDiff: CommandRun = async ({ args: [name = ''] }, { locations }) => {
  const engine = await openEngine(locations);
  const changes = await engine.json<{ Kind: number; Path: string }[] | null>('GET', `${containerPath(name)}/changes`);
  printLines((changes ?? []).map(({ Kind, Path }) => `${kinds[Kind] ?? '?'} ${cleanText(Path)}`));
  return 0;
};
