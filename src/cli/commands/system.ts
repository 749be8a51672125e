import type { CommandRun } from '../command.ts';
import { openEngine } from '../engine.ts';
import { humanSize } from '../format/human.ts';
import { printDocument } from '../output.ts';
import { slipwayVersion } from '../version.ts';

interface Version {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion: string;
}

export const runVersion: CommandRun = async ({ flags }, { locations }) => {
  const engine = await openEngine(locations);
  const server = await engine.json<Version>('GET', '/version');
  const client = {
    Version: slipwayVersion,
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
