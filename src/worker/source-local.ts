import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceOp } from '../api/gen/ops_pb.js';
import { digestOf } from '../base/digest.ts';
import { invalidArgument } from '../base/errors.ts';
import type { Stack } from '../snapshot/snapshots.ts';
import type { Handle, Op, OpContext } from '../solver/op.ts';
import { type DirectoryRef, holdRef, type Ref } from './ref.ts';
import type { WorkerServices } from './worker-services.ts';

/**
 * A directory of the client. When it lies on this machine it is read in place; else it is received into a directory that later builds
 * of the same client bring up to date. Its own key never matches: what counts is the content of what is copied from it.
 */
export function createLocalSource(source: SourceOp, services: WorkerServices): Op<Ref> {
  const name = source.identifier.replace(/^local:\/\//, '');
  const once = randomUUID();
  return {
    cacheMap: async () => ({ digest: digestOf(`local ${name} ${once}`), inputs: [], cacheable: false }),
    run: async (_inputs, context) => [await open(name, once, source, services, context)],
  };
}

async function open(
  name: string,
  once: string,
  source: SourceOp,
  services: WorkerServices,
  context: OpContext,
): Promise<Handle<Ref>> {
  const wanted = source.attrs['local.session'];
  const sessions = wanted ? [wanted, ...context.sessions().filter((id) => id !== wanted)] : context.sessions();
  const selection = {
    include: patterns(source, 'local.includepattern'),
    exclude: patterns(source, 'local.excludepatterns'),
    followPaths: patterns(source, 'local.followpaths'),
  };
  const inPlace = services.sessions.localDirectory(sessions, name);
  if (inPlace !== undefined)
    return holdDirectory(inPlace, selection, services, { noteRead: showReading(name, context), onEnd: () => {} });
  const identity = [
    services.sessions.sharedKey(sessions) ?? sessions[0],
    name,
    source.attrs['local.sharedkeyhint'] ?? '',
    selection,
  ];
  const key = digestOf(JSON.stringify(identity)).slice(7, 39);
  const lock = services.contextLocks.tryAcquire(key);
  // Another build has this client's directory at some date: this one receives into a place of its own.
  const directory = join(services.contextsDirectory, lock ? key : `${key}-${once}`);
  const end = () => {
    lock?.release();
    if (!lock) rmSync(directory, { recursive: true, force: true });
  };
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    await services.sessions.receiveDirectory(sessions, name, selection, directory, context);
    const quiet = { noteRead: () => {}, onEnd: end };
    return holdDirectory(directory, { include: [], exclude: [] }, services, quiet);
  } catch (error) {
    end();
    throw error;
  }
}

/** Less than this is read before anybody could wonder what takes so long. Bytes. */
const worthTelling = 1_000_000;

/** What is read in place is shown as what would have been sent, in the same words. */
function showReading(name: string, context: OpContext): DirectoryRef['noteRead'] {
  let current = 0;
  return (bytes) => {
    current += bytes;
    if (bytes === 0 || current < worthTelling) return;
    context.status(`transferring ${name}:`, { current, completed: true });
    context.settled();
  };
}

function holdDirectory(
  path: string,
  filter: { readonly include: readonly string[]; readonly exclude: readonly string[] },
  services: WorkerServices,
  { noteRead, onEnd }: { readonly noteRead: DirectoryRef['noteRead']; readonly onEnd: () => void },
): Handle<Ref> {
  let copying: Promise<Stack> | undefined;
  let copied: Handle<Ref> | undefined;
  const value: DirectoryRef = {
    kind: 'directory',
    path,
    include: filter.include,
    exclude: filter.exclude,
    indexName: digestOf(path).slice(7, 39),
    noteRead,
    snapshot: () => {
      copying ??= copyIntoLayer(path, filter, services).then((stack) => {
        copied = holdRef(services.snapshots, { kind: 'layers', stack });
        return stack;
      });
      return copying;
    },
  };
  let holders = 0;
  const take = (): Handle<Ref> => {
    holders++;
    let held = true;
    return {
      value,
      clone: take,
      release: () => {
        if (!held) return;
        held = false;
        if (--holders > 0) return;
        copied?.release();
        onEnd();
      },
    };
  };
  return take();
}

async function copyIntoLayer(
  path: string,
  filter: { readonly include: readonly string[]; readonly exclude: readonly string[] },
  { snapshots, views, bulk }: WorkerServices,
): Promise<Stack> {
  const active = snapshots.prepare([]);
  try {
    {
      using view = views.openActive(active);
      await bulk.run('copySelection', path, { path: '/', wildcard: false, followLinks: true }, view.path, '/', {
        filter,
        owner: { uid: 0, gid: 0 },
        directoryContents: true,
        createDestination: true,
        replaceExisting: false,
      });
    }
    return [snapshots.commit(active)];
  } catch (error) {
    snapshots.discard(active);
    throw error;
  }
}

function patterns(source: SourceOp, key: string): readonly string[] {
  const text = source.attrs[key];
  if (text === undefined || text === '') return [];
  const list: unknown = JSON.parse(text);
  if (list === null) return [];
  if (Array.isArray(list) && list.every((each) => typeof each === 'string')) return list;
  throw invalidArgument(`cannot use ${JSON.stringify(text.slice(0, 100))} as ${key}: want a JSON list of strings`);
}
