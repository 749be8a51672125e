import { Control, type UsageRecord } from '../../api/gen/control_pb.js';
import type { WorkerRecord } from '../../api/gen/worker_pb.js';
import { timestampDate } from '../../api/message/well-known.ts';
import { builderName, refuseOtherBuilder } from '../build/builder-name.ts';
import type { CommandRun } from '../command.ts';
import { goTime, humanAge, humanSize } from '../format/human.ts';
import type { Row } from '../format/table.ts';
import { alignColumns } from '../format/table.ts';
import type { Locations } from '../locations.ts';
import { openDaemon } from '../open-daemon.ts';
import { printLines, printRows } from '../output.ts';
import { slipwayVersion } from '../version.ts';

const driver = 'slipway';

async function listWorkers(locations: Locations): Promise<readonly WorkerRecord[]> {
  const channel = await openDaemon(locations);
  try {
    return (await channel.client(Control).listWorkers({})).record;
  } finally {
    channel.close();
  }
}

const platformsOf = ({ platforms }: WorkerRecord) =>
  platforms.map(({ OS, Architecture, Variant }) => [OS, Architecture, Variant].filter((part) => part !== '').join('/'));

export const runBuildxLs: CommandRun = async ({ flags }, { locations }) => {
  const workers = await listWorkers(locations);
  const version = workers[0]?.BuildkitVersion?.version ?? '';
  const platforms = [...new Set(workers.flatMap(platformsOf))].join(', ');
  const nodes = workers.map((): Row => {
    const endpoint = locations.host;
    return {
      Name: ` \\_ ${builderName}`,
      DriverEndpoint: ` \\_ ${endpoint}`,
      Status: 'running',
      Buildkit: version,
      Platforms: platforms,
    };
  });
  const head = {
    Name: `${builderName}*`,
    DriverEndpoint: driver,
    Status: '',
    Buildkit: '',
    Platforms: '',
    Driver: driver,
    Current: 'true',
  };
  printRows([head, ...nodes], {
    columns: [
      ['Name', 'NAME/NODE'],
      ['DriverEndpoint', 'DRIVER/ENDPOINT'],
      ['Status', 'STATUS'],
      ['Buildkit', 'BUILDKIT'],
      ['Platforms', 'PLATFORMS'],
    ],
    format: flags.text('format'),
  });
  return 0;
};

export const runBuildxInspect: CommandRun = async ({ flags, args }, { locations }) => {
  refuseOtherBuilder(args[0] ?? flags.text('builder'));
  const [worker] = await listWorkers(locations);
  const lines: [string, string][] = [
    ['Name:', builderName],
    ['Driver:', driver],
    ['', ''],
    ['Nodes:', ''],
    ['Name:', builderName],
    ['Endpoint:', locations.host],
    ['Status:', 'running'],
    ['BuildKit version:', worker?.BuildkitVersion?.version ?? ''],
    ['Platforms:', worker ? platformsOf(worker).join(', ') : ''],
  ];
  printLines(alignColumns(lines).map((line) => line.trimEnd()));
  const labels = Object.entries(worker?.Labels ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (labels.length > 0) printLines(['Labels:', ...alignColumns(labels.map(([key, value]) => [` ${key}:`, value]))]);
  printLines(gcPolicyLines(worker));
  return 0;
};

function gcPolicyLines(worker: WorkerRecord | undefined): string[] {
  return (worker?.GCPolicy ?? []).flatMap(
    ({ all, filters, keepDuration, maxUsedSpace, minFreeSpace, reservedSpace }, i) => {
      const size = (title: string, bytes: bigint) => (bytes > 0n ? [` ${title}: ${humanSize(Number(bytes))}`] : []);
      return [
        `GC Policy rule#${i}:`,
        ` All: ${all}`,
        ...(filters.length > 0 ? [` Filters: ${filters.join(' ')}`] : []),
        ...(keepDuration > 0n ? [` Keep Duration: ${Number(keepDuration) / 3.6e12}h`] : []),
        ...size('Reserved Space', reservedSpace),
        ...size('Max Used Space', maxUsedSpace),
        ...size('Min Free Space', minFreeSpace),
      ];
    },
  );
}

export const runBuildxUse: CommandRun = async ({ args }) => {
  refuseOtherBuilder(args[0]);
  return 0;
};

export const runBuildxVersion: CommandRun = async () => {
  console.log(`slipway ${slipwayVersion}`);
  return 0;
};

export const runDu: CommandRun = async ({ flags }, { locations }) => {
  refuseOtherBuilder(flags.text('builder'));
  const channel = await openDaemon(locations);
  try {
    const { record } = await channel.client(Control).diskUsage({ filter: [...flags.list('filter')] });
    const format = flags.text('format');
    if (flags.boolean('verbose')) printLines(record.flatMap(verboseLines));
    else
      printRows(record.map(usageRow), {
        columns: [
          ['ID', 'ID'],
          ['Reclaimable', 'RECLAIMABLE'],
          ['Size', 'SIZE'],
          ['LastUsedAt', 'LAST ACCESSED'],
        ],
        format,
      });
    if (format === undefined) printLines(['', ...totals(record)]);
    return 0;
  } finally {
    channel.close();
  }
};

const dateOf = (time: UsageRecord['CreatedAt']) => (time ? timestampDate(time) : undefined);

function usageRow(record: UsageRecord): Row {
  const created = dateOf(record.CreatedAt);
  const used = dateOf(record.LastUsedAt);
  return {
    ID: `${record.ID.replace(/^sha256:/, '').slice(0, 25)}${record.Mutable ? '*' : ''}`,
    Parents: record.Parents.join(','),
    CreatedAt: created ? goTime(created) : '',
    Mutable: `${record.Mutable}`,
    Reclaimable: `${!record.InUse}`,
    Shared: `${record.Shared}`,
    Size: humanSize(Number(record.Size)),
    Description: record.Description,
    UsageCount: `${record.UsageCount}`,
    LastUsedAt: used ? humanAge(used) : '',
    Type: record.RecordType,
  };
}

function verboseLines(record: UsageRecord): string[] {
  const { ID, Parents, CreatedAt, Mutable, Reclaimable, Shared, Size, Description, UsageCount, LastUsedAt, Type } =
    usageRow(record);
  const fields: [string, unknown][] = [
    ['ID:', ID],
    ['Parents:', Parents],
    ['Created at:', CreatedAt],
    ['Mutable:', Mutable],
    ['Reclaimable:', Reclaimable],
    ['Shared:', Shared],
    ['Size:', Size],
    ['Description:', Description],
    ['Usage count:', UsageCount],
    ['Last used:', LastUsedAt],
    ['Type:', Type],
  ];
  return [...alignColumns(fields.filter(([, value]) => value !== '').map(([key, value]) => [key, `${value}`])), ''];
}

function totals(records: readonly UsageRecord[]): string[] {
  const total = (those: readonly UsageRecord[]) => humanSize(Number(those.reduce((sum, { Size }) => sum + Size, 0n)));
  const shared = records.filter(({ Shared }) => Shared);
  const lines = [
    ...(shared.length > 0
      ? [
          ['Shared:', total(shared)],
          ['Private:', total(records.filter(({ Shared }) => !Shared))],
        ]
      : []),
    ['Reclaimable:', total(records.filter(({ InUse }) => !InUse))],
    ['Total:', total(records)],
  ];
  return alignColumns(lines);
}
