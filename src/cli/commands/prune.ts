import { parseBytes } from '../../base/parse-quantity.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import type { CommandRun } from '../command.ts';
import { confirm } from '../confirm.ts';
import { filterQuery, openEngine } from '../engine.ts';
import type { FlagReader } from '../flags.ts';
import { humanSize } from '../format/human.ts';
import { printLines } from '../output.ts';

interface Pruned {
  readonly lines: readonly string[];
  readonly bytes: number;
}

/** Removes one kind of thing; `words` are filters. */
type Prune = (engine: EngineClient, flags: FlagReader, words: readonly string[]) => Promise<Pruned>;

const titled = (title: string, lines: readonly string[]) => (lines.length > 0 ? [title, ...lines, ''] : []);

const pruneContainers: Prune = async (engine, _flags, words) => {
  const query = { filters: filterQuery(words) };
  const { ContainersDeleted, SpaceReclaimed } = await engine.json<{
    ContainersDeleted: string[] | null;
    SpaceReclaimed: number;
  }>('POST', '/containers/prune', { query });
  return { lines: titled('Deleted Containers:', ContainersDeleted ?? []), bytes: SpaceReclaimed };
};

const pruneImages: Prune = async (engine, flags, words) => {
  const query = { filters: filterQuery([`dangling=${!flags.boolean('all')}`, ...words]) };
  const { ImagesDeleted, SpaceReclaimed } = await engine.json<{
    ImagesDeleted: { Untagged?: string; Deleted?: string }[] | null;
    SpaceReclaimed: number;
  }>('POST', '/images/prune', { query });
  const lines = (ImagesDeleted ?? []).map(({ Untagged, Deleted }) =>
    Untagged === undefined ? `deleted: ${Deleted}` : `untagged: ${Untagged}`,
  );
  return { lines: titled('Deleted Images:', lines), bytes: SpaceReclaimed };
};

const pruneVolumes: Prune = async (engine, flags, words) => {
  const query = { filters: filterQuery([...(flags.boolean('all') ? ['all=true'] : []), ...words]) };
  const { VolumesDeleted, SpaceReclaimed } = await engine.json<{
    VolumesDeleted: string[] | null;
    SpaceReclaimed: number;
  }>('POST', '/volumes/prune', { query });
  return { lines: titled('Deleted Volumes:', VolumesDeleted ?? []), bytes: SpaceReclaimed };
};

const pruneCache: Prune = async (engine, flags, words) => {
  const size = (name: string) => (flags.has(name) ? `${parseBytes(flags.text(name) ?? '')}` : undefined);
  const query = {
    all: flags.boolean('all'),
    filters: filterQuery(words),
    'max-used-space': size('max-used-space'),
    'min-free-space': size('min-free-space'),
    'reserved-space': size('reserved-space') ?? size('keep-storage'),
  };
  const { CachesDeleted, SpaceReclaimed } = await engine.json<{
    CachesDeleted: string[] | null;
    SpaceReclaimed: number;
  }>('POST', '/build/prune', { query });
  return { lines: titled('Deleted build cache objects:', CachesDeleted ?? []), bytes: SpaceReclaimed };
};

function prune(warning: (flags: FlagReader) => string, prunes: (flags: FlagReader) => readonly Prune[]): CommandRun {
  return async ({ flags }, { locations }) => {
    const question = `WARNING! ${warning(flags)}\nAre you sure you want to continue?`;
    if (!flags.boolean('force') && !(await confirm(question))) return 0;
    const engine = await openEngine(locations);
    let bytes = 0;
    for (const each of prunes(flags)) {
      const pruned = await each(engine, flags, flags.list('filter'));
      printLines(pruned.lines);
      bytes += pruned.bytes;
    }
    console.log(`Total reclaimed space: ${humanSize(bytes)}`);
    return 0;
  };
}

const imagesWarning = (flags: FlagReader) =>
  flags.boolean('all') ? 'all images without a container that uses them' : 'all dangling images';

export const runContainerPrune = prune(
  () => 'This will remove all stopped containers.',
  () => [pruneContainers],
);
export const runImagePrune = prune(
  (flags) => `This will remove ${imagesWarning(flags)}.`,
  () => [pruneImages],
);
export const runVolumePrune = prune(
  (flags) => `This will remove ${flags.boolean('all') ? 'all' : 'anonymous'} local volumes that no container uses.`,
  () => [pruneVolumes],
);
export const runBuilderPrune = prune(
  (flags) => `This will remove ${flags.boolean('all') ? 'all' : 'all dangling'} build cache.`,
  () => [pruneCache],
);
export const runSystemPrune = prune(
  (flags) => {
    const volumes = flags.boolean('volumes') ? '\n  - all anonymous volumes that no container uses' : '';
    return `This will remove:\n  - all stopped containers${volumes}\n  - ${imagesWarning(flags)}\n  - unused build cache\n`;
  },
  (flags) => [
    pruneContainers,
    // `--all` is meant for images and cache; named volumes stay.
    ...(flags.boolean('volumes') ? [withoutAll(pruneVolumes)] : []),
    pruneImages,
    pruneCache,
  ],
);

function withoutAll(each: Prune): Prune {
  return (engine, flags, words) => each(engine, flags.without('all'), words);
}
