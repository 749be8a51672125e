import type { CommandRun } from '../command.ts';
import { keyValues } from '../container/key-values.ts';
import { filterQuery, openEngine } from '../engine.ts';
import { humanSize } from '../format/human.ts';
import type { Row } from '../format/table.ts';
import { printLines, printRows } from '../output.ts';
import { reportError } from '../report-error.ts';

interface Volume {
  readonly Name: string;
  readonly Driver: string;
  readonly Mountpoint: string;
  readonly Scope: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly UsageData?: { readonly Size: number; readonly RefCount: number } | null;
}

export const runVolumeLs: CommandRun = async ({ flags }, { locations }) => {
  const engine = await openEngine(locations);
  const query = { filters: filterQuery(flags.list('filter')) };
  const { Volumes } = await engine.json<{ Volumes: Volume[] | null }>('GET', '/volumes', { query });
  const volumes = (Volumes ?? []).toSorted((a, b) => (a.Name < b.Name ? -1 : 1));
  if (flags.boolean('quiet')) printLines(volumes.map(({ Name }) => Name));
  else
    printRows(volumes.map(volumeRow), {
      columns: [
        ['Driver', 'DRIVER'],
        ['Name', 'VOLUME NAME'],
      ],
      format: flags.text('format'),
    });
  return 0;
};

export function volumeRow({ Name, Driver, Mountpoint, Scope, Labels, UsageData }: Volume): Row {
  const labels = Labels ?? {};
  return {
    Name,
    Driver,
    Mountpoint,
    Scope,
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Label: (key) => labels[String(key)] ?? '',
    Links: UsageData ? `${UsageData.RefCount}` : 'N/A',
    Size: UsageData && UsageData.Size >= 0 ? humanSize(UsageData.Size) : 'N/A',
  };
}

export const runVolumeCreate: CommandRun = async ({ flags, args }, { locations }) => {
  const engine = await openEngine(locations);
  const json = {
    Name: args[0] ?? '',
    Driver: flags.text('driver') ?? 'local',
    DriverOpts: keyValues(flags.list('opt')),
    Labels: keyValues(flags.list('label')),
  };
  const { Name } = await engine.json<Volume>('POST', '/volumes/create', { json });
  console.log(Name);
  return 0;
};

export const runVolumeRm: CommandRun = async ({ flags, args }, { locations }) => {
  const engine = await openEngine(locations);
  let code = 0;
  for (const name of args) {
    try {
      await engine.text('DELETE', `/volumes/${encodeURIComponent(name)}`, { query: { force: flags.boolean('force') } });
      console.log(name);
    } catch (error) {
      code = reportError(error);
    }
  }
  return code;
};
