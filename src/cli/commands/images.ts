import { familiarRepository, parseReference } from '../../oci/reference.ts';
import type { CommandRun } from '../command.ts';
import { filterQuery, openEngine } from '../engine.ts';
import { ellipsis, goTime, humanAge, humanSize, isoSeconds, shortId } from '../format/human.ts';
import type { Row } from '../format/table.ts';
import { printRows } from '../output.ts';
import { reportError } from '../report-error.ts';

interface ImageSummary {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Created: number;
  readonly Size: number;
  readonly Containers: number;
}

export const runImageLs: CommandRun = async ({ flags, args }, { locations }) => {
  const engine = await openEngine(locations);
  const filters = filterQuery([...flags.list('filter'), ...args.map((pattern) => `reference=${pattern}`)]);
  const images = await engine.json<ImageSummary[]>('GET', '/images/json', {
    query: { all: flags.boolean('all'), filters },
  });
  if (flags.boolean('quiet')) {
    for (const { Id } of images) console.log(flags.boolean('no-trunc') ? Id : shortId(Id));
    return 0;
  }
  const digests = flags.boolean('digests');
  const rows = images.flatMap((image) => imageRows(image, flags.boolean('no-trunc'), digests));
  const columns = [
    ['Repository', 'REPOSITORY'],
    ['Tag', 'TAG'],
    ...(digests ? [['Digest', 'DIGEST']] : []),
    ['ID', 'IMAGE ID'],
    ['CreatedSince', 'CREATED'],
    ['Size', 'SIZE'],
  ] as [string, string][];
  printRows(rows, { columns, format: flags.text('format') });
  return 0;
};

function imageRows(image: ImageSummary, whole: boolean, digests: boolean): Row[] {
  const created = new Date(image.Created * 1000);
  const common = {
    ID: whole ? image.Id : shortId(image.Id),
    CreatedSince: humanAge(created),
    CreatedAt: goTime(created),
    Size: humanSize(image.Size, 3),
    VirtualSize: humanSize(image.Size, 3),
    SharedSize: 'N/A',
    UniqueSize: 'N/A',
    Containers: image.Containers < 0 ? 'N/A' : `${image.Containers}`,
  };
  const digestOf = (repository: string) =>
    image.RepoDigests.find((name) => name.startsWith(`${repository}@`))?.split('@')[1] ?? '<none>';
  if (image.RepoTags.length === 0) return [{ Repository: '<none>', Tag: '<none>', Digest: '<none>', ...common }];
  return image.RepoTags.map((name) => {
    const reference = parseReference(name);
    const repository = familiarRepository(reference);
    return {
      Repository: repository,
      Tag: reference.tag ?? '<none>',
      Digest: digests ? digestOf(repository) : '<none>',
      ...common,
    };
  });
}

interface HistoryItem {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Size: number;
  readonly Comment: string;
}

const createdByWidth = 45;

export const runHistory: CommandRun = async ({ flags, args }, { locations }) => {
  const [name = ''] = args;
  const engine = await openEngine(locations);
  const items = await engine.json<HistoryItem[]>('GET', `/images/${encodeURIComponent(name)}/history`);
  const whole = flags.boolean('no-trunc');
  const idOf = (id: string) => (whole || !id.startsWith('sha256:') ? id : shortId(id));
  if (flags.boolean('quiet')) {
    for (const { Id } of items) console.log(idOf(Id));
    return 0;
  }
  const human = !flags.has('human') || flags.boolean('human');
  const rows = items.map(({ Id, Created, CreatedBy, Size, Comment }): Row => {
    const created = new Date(Created * 1000);
    const by = CreatedBy.replaceAll('\t', ' ');
    return {
      ID: idOf(Id),
      CreatedSince: human ? humanAge(created) : isoSeconds(created),
      CreatedAt: isoSeconds(created),
      CreatedBy: whole ? by : ellipsis(by, createdByWidth),
      Size: human ? humanSize(Size, 3) : `${Size}`,
      Comment,
    };
  });
  const columns = [
    ['ID', 'IMAGE'],
    ['CreatedSince', human ? 'CREATED' : 'CREATED AT'],
    ['CreatedBy', 'CREATED BY'],
    ['Size', 'SIZE'],
    ['Comment', 'COMMENT'],
  ] as const;
  printRows(rows, { columns, format: flags.text('format') });
  return 0;
};

export const runTag: CommandRun = async ({ args }, { locations }) => {
  const [source = '', target = ''] = args;
  const reference = parseReference(target);
  const engine = await openEngine(locations);
  const repo = familiarRepository(reference);
  await engine.text('POST', `/images/${encodeURIComponent(source)}/tag`, {
    query: { repo, tag: reference.tag ?? 'latest' },
  });
  return 0;
};

export const runRmi: CommandRun = async ({ flags, args }, { locations }) => {
  const engine = await openEngine(locations);
  let code = 0;
  for (const name of args) {
    try {
      const removed = await engine.json<{ Untagged?: string; Deleted?: string }[]>(
        'DELETE',
        `/images/${encodeURIComponent(name)}`,
        { query: { force: flags.boolean('force'), noprune: flags.boolean('no-prune') } },
      );
      for (const { Untagged, Deleted } of removed)
        console.log(Untagged === undefined ? `Deleted: ${Deleted}` : `Untagged: ${Untagged}`);
    } catch (error) {
      code = reportError(error);
    }
  }
  return code;
};
