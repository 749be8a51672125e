import type { CommandRun } from '../command.ts';
import { filterQuery, openEngine } from '../engine.ts';
import { humanSize } from '../format/human.ts';
import type { Row } from '../format/table.ts';
import { printDocument, printRows } from '../output.ts';
import { bytesOf } from './build.ts';

interface Version {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion: string;
}

const clientVersion = '0.1.0';

export const runVersion: CommandRun = async ({ flags }, { locations }) => {
  const engine = await openEngine(locations);
  const server = await engine.json<Version>('GET', '/version');
  const client = {
    Version: clientVersion,
    ApiVersion: server.ApiVersion,
    Node: process.version,
    Os: process.platform,
    Arch: server.Arch,
  };
  if (flags.has('format')) {
    printDocument({ Client: client, Server: server }, flags.text('format') ?? '');
    return 0;
  }
  const print = (title: string, rows: readonly (readonly [string, string])[]) => {
    console.log(`${title}:`);
    for (const [key, value] of rows) console.log(` ${`${key}:`.padEnd(18)}${value}`);
  };
  print('Client', [
    ['Version', client.Version],
    ['API version', client.ApiVersion],
    ['Node version', client.Node],
    ['OS/Arch', `${client.Os}/${client.Arch}`],
  ]);
  console.log();
  print('Server', [
    ['Version', server.Version],
    ['API version', `${server.ApiVersion} (minimum version ${server.MinAPIVersion})`],
    ['OS/Arch', `${server.Os}/${server.Arch}`],
    ['Kernel', server.KernelVersion],
  ]);
  return 0;
};

export const runInfo: CommandRun = async ({ flags }, { locations }) => {
  const engine = await openEngine(locations);
  const info = await engine.json<Record<string, unknown>>('GET', '/info');
  if (flags.has('format')) {
    printDocument(info, flags.text('format') ?? '');
    return 0;
  }
  const rows: [string, unknown][] = [
    ['Containers', info.Containers],
    [' Running', info.ContainersRunning],
    [' Stopped', info.ContainersStopped],
    ['Images', info.Images],
    ['Server Version', info.ServerVersion],
    ['Storage Driver', info.Driver],
    ['Logging Driver', info.LoggingDriver],
    ['Default Runtime', info.DefaultRuntime],
    ['Kernel Version', info.KernelVersion],
    ['Operating System', info.OperatingSystem],
    ['Architecture', info.Architecture],
    ['CPUs', info.NCPU],
    ['Total Memory', humanSize(Number(info.MemTotal))],
    ['Root Dir', info.DockerRootDir],
  ];
  for (const [key, value] of rows) console.log(`${key}: ${value}`);
  for (const warning of (info.Warnings as string[] | null) ?? []) process.stderr.write(`WARNING: ${warning}\n`);
  return 0;
};

interface DiskUsage {
  readonly LayersSize: number;
  readonly Images: readonly { readonly Size: number; readonly Containers: number; readonly SharedSize: number }[];
  readonly Containers: readonly { readonly State: string; readonly SizeRw: number }[];
  readonly Volumes: readonly object[];
  readonly BuildCache: readonly {
    readonly ID: string;
    readonly Type: string;
    readonly Size: number;
    readonly InUse: boolean;
    readonly Shared: boolean;
    readonly Description: string;
    readonly LastUsedAt: string;
  }[];
}

export const runSystemDf: CommandRun = async ({ flags }, { locations }) => {
  const engine = await openEngine(locations);
  const usage = await engine.json<DiskUsage>('GET', '/system/df');
  const row = (Type: string, total: number, active: number, size: number, free: number): Row => ({
    Type,
    TotalCount: `${total}`,
    Active: `${active}`,
    Size: humanSize(size),
    Reclaimable: size > 0 ? `${humanSize(free)} (${Math.floor((free * 100) / size)}%)` : humanSize(free),
  });
  const sum = (items: readonly { readonly Size: number }[]) => items.reduce((total, { Size }) => total + Size, 0);
  const unused = usage.Images.filter(({ Containers }) => Containers === 0);
  const running = usage.Containers.filter(({ State }) => State === 'running');
  const size = usage.Containers.reduce((total, { SizeRw }) => total + SizeRw, 0);
  const idle = usage.BuildCache.filter(({ InUse, Shared }) => !InUse && !Shared);
  const rows = [
    row(
      'Images',
      usage.Images.length,
      usage.Images.length - unused.length,
      usage.LayersSize,
      Math.min(usage.LayersSize, sum(unused)),
    ),
    row('Containers', usage.Containers.length, running.length, size, size),
    row('Local Volumes', usage.Volumes.length, 0, 0, 0),
    row(
      'Build Cache',
      usage.BuildCache.length,
      usage.BuildCache.filter(({ InUse }) => InUse).length,
      sum(usage.BuildCache.filter(({ Shared }) => !Shared)),
      sum(idle),
    ),
  ];
  printRows(rows, {
    columns: [
      ['Type', 'TYPE'],
      ['TotalCount', 'TOTAL'],
      ['Active', 'ACTIVE'],
      ['Size', 'SIZE'],
      ['Reclaimable', 'RECLAIMABLE'],
    ],
    format: flags.text('format'),
  });
  return 0;
};

export const runBuilderPrune: CommandRun = async ({ flags }, { locations }) => {
  const engine = await openEngine(locations);
  const keep = flags.text('max-used-space');
  const query = {
    all: flags.boolean('all'),
    filters: filterQuery(flags.list('filter')),
    'max-used-space': keep === undefined ? undefined : `${bytesOf(keep)}`,
  };
  const { CachesDeleted, SpaceReclaimed } = await engine.json<{
    CachesDeleted: string[] | null;
    SpaceReclaimed: number;
  }>('POST', '/build/prune', { query });
  for (const id of CachesDeleted ?? []) console.log(id);
  console.log(`Total reclaimed space: ${humanSize(SpaceReclaimed)}`);
  return 0;
};

export const runDu: CommandRun = async ({ flags }, { locations }) => {
  const engine = await openEngine(locations);
  const { BuildCache } = await engine.json<DiskUsage>('GET', '/system/df');
  const rows = BuildCache.map(
    (item): Row => ({
      ID: item.ID.replace(/^sha256:/, '').slice(0, 25),
      Reclaimable: `${!item.InUse}`,
      Size: humanSize(item.Size),
      LastUsedAt: item.LastUsedAt,
      Shared: `${item.Shared}`,
      Type: item.Type,
      Description: item.Description,
    }),
  );
  printRows(rows, {
    columns: [
      ['ID', 'ID'],
      ['Reclaimable', 'RECLAIMABLE'],
      ['Size', 'SIZE'],
      ['LastUsedAt', 'LAST ACCESSED'],
    ],
    format: flags.text('format'),
  });
  const total = (items: DiskUsage['BuildCache']) => humanSize(items.reduce((sum, { Size }) => sum + Size, 0));
  if (!flags.has('format')) {
    console.log(`Shared:\t\t${total(BuildCache.filter(({ Shared }) => Shared))}`);
    console.log(`Private:\t${total(BuildCache.filter(({ Shared }) => !Shared))}`);
    console.log(`Reclaimable:\t${total(BuildCache.filter(({ InUse }) => !InUse))}`);
    console.log(`Total:\t\t${total(BuildCache)}`);
  }
  return 0;
};
