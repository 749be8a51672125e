import type { CommandRun } from '../command.ts';
import { openEngine } from '../engine.ts';
import { ellipsis, humanAge, humanSize, shortId } from '../format/human.ts';
import type { Row } from '../format/table.ts';
import { printLines, printRows } from '../output.ts';

/** `GET /system/df` in the shape of API versions before 1.52. */
export interface DiskUsage {
  readonly LayersSize: number;
  readonly Images?: readonly ImageUsage[] | null;
  readonly Containers?: readonly ContainerUsage[] | null;
  readonly Volumes?: readonly VolumeUsage[] | null;
  readonly BuildCache?: readonly CacheUsage[] | null;
}

interface ImageUsage {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly Created: number;
  readonly Size: number;
  readonly SharedSize: number;
  readonly Containers: number;
}

interface ContainerUsage {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly Command?: string;
  readonly Created: number;
  readonly State: string;
  readonly Status?: string;
  readonly SizeRw?: number;
  readonly Mounts?: readonly { readonly Type?: string }[] | null;
}

interface VolumeUsage {
  readonly Name: string;
  readonly UsageData?: { readonly Size: number; readonly RefCount: number } | null;
}

export interface CacheUsage {
  readonly ID: string;
  readonly Type: string;
  readonly Size: number;
  readonly InUse: boolean;
  readonly Shared: boolean;
  readonly Description: string;
  readonly CreatedAt: string;
  readonly LastUsedAt?: string | null;
  readonly UsageCount: number;
}

const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + Math.max(0, size), 0);

export const runSystemDf: CommandRun = async ({ flags }, { locations }) => {
  const engine = await openEngine(locations);
  const usage = await engine.json<DiskUsage>('GET', '/system/df');
  const format = flags.text('format');
  if (flags.boolean('verbose')) printVerbose(usage);
  else
    printRows(summaryRows(usage), {
      columns: [
        ['Type', 'TYPE'],
        ['TotalCount', 'TOTAL'],
        ['Active', 'ACTIVE'],
        ['Size', 'SIZE'],
        ['Reclaimable', 'RECLAIMABLE'],
      ],
      format,
    });
  return 0;
};

/** One row for each kind of thing. An image is active when a container uses it, a volume and a cache record likewise. */
export function summaryRows({ LayersSize, Images, Containers, Volumes, BuildCache }: DiskUsage): Row[] {
  const [images, containers, volumes, cache] = [Images ?? [], Containers ?? [], Volumes ?? [], BuildCache ?? []];
  const usedImages = images.filter((image) => image.Containers > 0);
  const running = containers.filter(({ State }) => State === 'running' || State === 'paused');
  const usedVolumes = volumes.filter(({ UsageData }) => (UsageData?.RefCount ?? 0) > 0);
  const sizeOf = (each: VolumeUsage) => each.UsageData?.Size ?? 0;
  const used = sum(usedImages.map(({ Size }) => Size));
  const rw = (each: ContainerUsage) => each.SizeRw ?? 0;
  const cacheSize = sum(cache.filter(({ Shared }) => !Shared).map(({ Size }) => Size));
  const idle = sum(cache.filter(({ InUse, Shared }) => !InUse && !Shared).map(({ Size }) => Size));
  const volumesSize = sum(volumes.map(sizeOf));
  return [
    usageRow('Images', images.length, usedImages.length, LayersSize, Math.max(0, LayersSize - used)),
    usageRow(
      'Containers',
      containers.length,
      running.length,
      sum(containers.map(rw)),
      sum(containers.filter((each) => !running.includes(each)).map(rw)),
    ),
    usageRow(
      'Local Volumes',
      volumes.length,
      usedVolumes.length,
      volumesSize,
      volumesSize - sum(usedVolumes.map(sizeOf)),
    ),
    usageRow('Build Cache', cache.length, cache.filter(({ InUse }) => InUse).length, cacheSize, idle),
  ];
}

function usageRow(Type: string, total: number, active: number, size: number, free: number): Row {
  const share = size > 0 ? ` (${Math.floor((free * 100) / size)}%)` : '';
  const TotalCount = `${total}`;
  return { Type, TotalCount, Active: `${active}`, Size: humanSize(size), Reclaimable: `${humanSize(free)}${share}` };
}

function printVerbose({ Images, Containers, Volumes, BuildCache }: DiskUsage): void {
  printLines(['Images space usage:', '']);
  printRows((Images ?? []).flatMap(imageRows), {
    columns: [
      ['Repository', 'REPOSITORY'],
      ['Tag', 'TAG'],
      ['ID', 'IMAGE ID'],
      ['CreatedSince', 'CREATED'],
      ['Size', 'SIZE'],
      ['SharedSize', 'SHARED SIZE'],
      ['UniqueSize', 'UNIQUE SIZE'],
      ['Containers', 'CONTAINERS'],
    ],
  });
  printLines(['', 'Containers space usage:', '']);
  printRows((Containers ?? []).map(containerRow), {
    columns: [
      ['ID', 'CONTAINER ID'],
      ['Image', 'IMAGE'],
      ['Command', 'COMMAND'],
      ['LocalVolumes', 'LOCAL VOLUMES'],
      ['Size', 'SIZE'],
      ['RunningFor', 'CREATED'],
      ['Status', 'STATUS'],
      ['Names', 'NAMES'],
    ],
  });
  printLines(['', 'Local Volumes space usage:', '']);
  const volumes = (Volumes ?? []).map(({ Name, UsageData }) => {
    return { Name, Links: `${UsageData?.RefCount ?? 0}`, Size: humanSize(UsageData?.Size ?? 0) };
  });
  printRows(volumes, {
    columns: [
      ['Name', 'VOLUME NAME'],
      ['Links', 'LINKS'],
      ['Size', 'SIZE'],
    ],
  });
  const cache = BuildCache ?? [];
  printLines(['', `Build cache usage: ${humanSize(sum(cache.map(({ Size }) => Size)))}`, '']);
  printRows(cache.map(cacheRow), {
    columns: [
      ['ID', 'CACHE ID'],
      ['CacheType', 'CACHE TYPE'],
      ['Size', 'SIZE'],
      ['CreatedSince', 'CREATED'],
      ['LastUsedSince', 'LAST USED'],
      ['UsageCount', 'USAGE'],
      ['Shared', 'SHARED'],
    ],
  });
}

function imageRows({ Id, RepoTags, Created, Size, SharedSize, Containers }: ImageUsage): Row[] {
  const shared = Math.max(0, SharedSize);
  return (RepoTags && RepoTags.length > 0 ? RepoTags : ['<none>:<none>']).map((name) => {
    const colon = name.lastIndexOf(':');
    return {
      Repository: name.slice(0, colon),
      Tag: name.slice(colon + 1),
      ID: shortId(Id),
      CreatedSince: humanAge(new Date(Created * 1000)),
      Size: humanSize(Size, 3),
      SharedSize: humanSize(shared, 3),
      UniqueSize: humanSize(Size - shared, 3),
      Containers: `${Math.max(0, Containers)}`,
    };
  });
}

function containerRow({ Id, Names, Image, Command = '', Created, Status, State, SizeRw, Mounts }: ContainerUsage): Row {
  return {
    ID: shortId(Id),
    Image,
    Command: JSON.stringify(ellipsis(Command, 20)),
    LocalVolumes: `${(Mounts ?? []).filter(({ Type }) => Type === 'volume').length}`,
    Size: humanSize(SizeRw ?? 0, 3),
    RunningFor: humanAge(new Date(Created * 1000)),
    Status: Status ?? State,
    Names: Names.map((name) => name.replace(/^\//, '')).join(','),
  };
}

function cacheRow({ ID, Type, Size, CreatedAt, LastUsedAt, UsageCount, Shared }: CacheUsage): Row {
  return {
    ID: shortId(ID),
    CacheType: Type,
    Size: humanSize(Size, 3),
    CreatedSince: humanAge(new Date(CreatedAt)),
    LastUsedSince: LastUsedAt ? humanAge(new Date(LastUsedAt)) : '',
    UsageCount: `${UsageCount}`,
    Shared: `${Shared}`,
  };
}
