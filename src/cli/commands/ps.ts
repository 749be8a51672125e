import type { CommandRun } from '../command.ts';
import { type PublishedPort, portsText } from '../container/ports-text.ts';
import { filterQuery, openEngine } from '../engine.ts';
import { ellipsis, goTime, humanAge, humanSize, shortId } from '../format/human.ts';
import type { Columns, Row } from '../format/table.ts';
import { printLines, printRows } from '../output.ts';

interface ContainerSummary {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly Command: string;
  readonly Created: number;
  readonly State: string;
  readonly Status: string;
  readonly Ports?: readonly PublishedPort[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Mounts?: readonly { readonly Name?: string; readonly Source?: string; readonly Type?: string }[] | null;
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, unknown>> | null };
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
}

const commandWidth = 20;
const columns: Columns = [
  ['ID', 'CONTAINER ID'],
  ['Image', 'IMAGE'],
  ['Command', 'COMMAND'],
  ['RunningFor', 'CREATED'],
  ['Status', 'STATUS'],
  ['Ports', 'PORTS'],
  ['Names', 'NAMES'],
];

export const runPs: CommandRun = async ({ flags }, { locations }) => {
  const engine = await openEngine(locations);
  const last = flags.boolean('latest') ? 1 : (flags.number('last') ?? -1);
  const size = flags.boolean('size');
  const query = {
    all: flags.boolean('all'),
    limit: last > 0 ? `${last}` : undefined,
    size,
    filters: filterQuery(flags.list('filter')),
  };
  const containers = await engine.json<ContainerSummary[]>('GET', '/containers/json', { query });
  const whole = flags.boolean('no-trunc');
  if (flags.boolean('quiet')) printLines(containers.map(({ Id }) => (whole ? Id : shortId(Id))));
  else
    printRows(
      containers.map((container) => rowOf(container, whole)),
      {
        columns: size ? [...columns, ['Size', 'SIZE']] : columns,
        format: flags.text('format'),
        headings: { CreatedAt: 'CREATED AT', LocalVolumes: 'LOCAL VOLUMES' },
      },
    );
  return 0;
};

function rowOf(container: ContainerSummary, whole: boolean): Row {
  const { Id, Names, Image, Command, Created, State, Status, Ports, Labels, Mounts, NetworkSettings } = container;
  const created = new Date(Created * 1000);
  const mounts = (Mounts ?? []).map(({ Name, Source }) => Name || Source || '');
  const labels = Labels ?? {};
  return {
    ID: whole ? Id : shortId(Id),
    Image: whole ? Image : Image.replace(/^sha256:([0-9a-f]{12})[0-9a-f]*$/, '$1'),
    Command: JSON.stringify(whole ? Command : ellipsis(Command, commandWidth)),
    CreatedAt: goTime(created),
    RunningFor: humanAge(created),
    Ports: portsText(Ports ?? []),
    State,
    Status,
    Size: sizeText(container),
    Names: Names.map((name) => name.replace(/^\//, '')).join(','),
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Label: (key) => labels[String(key)] ?? '',
    Mounts: mounts.map((mount) => (whole ? mount : ellipsis(mount, 15))).join(','),
    LocalVolumes: `${(Mounts ?? []).filter(({ Type }) => Type === 'volume').length}`,
    Networks: Object.keys(NetworkSettings?.Networks ?? {}).join(','),
  };
}

function sizeText({ SizeRw, SizeRootFs }: ContainerSummary): string {
  const own = humanSize(SizeRw ?? 0, 3);
  return SizeRootFs === undefined || SizeRootFs === 0 ? own : `${own} (virtual ${humanSize(SizeRootFs, 3)})`;
}
