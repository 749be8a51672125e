import { lstatSync, realpathSync, statSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extractArchive } from '../../archive/apply-layer.ts';
import { invalidArgument, isErrorCode, systemErrorCode } from '../../base/errors.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import type { CommandRun } from '../command.ts';
import { containerPath } from '../container/container-path.ts';
import {
  type CopyEnd,
  type CopyPlace,
  meansContent,
  memberName,
  parsePlace,
  planCopy,
  renamed,
} from '../container/copy-plan.ts';
import { localTar } from '../container/local-tar.ts';
import { openEngine } from '../engine.ts';
import type { FlagReader } from '../flags.ts';
import { humanSize } from '../format/human.ts';

/** Go's os.FileMode bits. */
const goDirectory = 2 ** 31;
const goSymlink = 2 ** 27;

interface PathStat {
  readonly mode: number;
  readonly linkTarget: string;
}

const isDirectory = ({ mode }: PathStat) => mode >= goDirectory;
const isSymlink = ({ mode }: PathStat) => Math.floor(mode / goSymlink) % 2 === 1;

export const runCp: CommandRun = async ({ flags, args: [source = '', target = ''] }, { locations }) => {
  const [from, to] = [parsePlace(source), parsePlace(target)];
  if (from.container !== undefined && to.container !== undefined)
    throw invalidArgument('copying between containers is not supported');
  if (from.container === undefined && to.container === undefined)
    throw invalidArgument('must specify at least one container source');
  const engine = await openEngine(locations);
  if (from.container !== undefined) await copyOut(engine, from, to.path, flags);
  else await copyIn(engine, from.path, to, flags);
  return 0;
};

const archivePath = ({ container }: CopyPlace) => `${containerPath(container ?? '')}/archive`;

async function statInside(engine: EngineClient, place: CopyPlace): Promise<PathStat> {
  const response = await engine.open('HEAD', archivePath(place), { query: { path: place.path } });
  response.resume();
  return statOf(response.headers);
}

function statOf(headers: Readonly<Record<string, unknown>>): PathStat {
  return JSON.parse(Buffer.from(String(headers['x-docker-container-path-stat']), 'base64').toString());
}

async function copyOut(engine: EngineClient, given: CopyPlace, target: string, flags: FlagReader): Promise<void> {
  const source = flags.boolean('follow-link') ? await followed(engine, given).catch(() => given) : given;
  const response = await engine.open('GET', archivePath(source), { query: { path: source.path } });
  if (target === '-') {
    await pipeline(response, process.stdout);
    return;
  }
  try {
    await unpack(response, given, source, target, flags);
  } finally {
    response.destroy();
  }
}

async function unpack(
  response: IncomingMessage,
  given: CopyPlace,
  source: CopyPlace,
  target: string,
  flags: FlagReader,
): Promise<void> {
  const end = { path: source.path, isDirectory: isDirectory(statOf(response.headers)) };
  const plan = planCopy(end, memberName(given.path), localEnd(target));
  if (!statSync(plan.directory, { throwIfNoEntry: false })?.isDirectory())
    throw invalidArgument(`invalid output path: directory ${JSON.stringify(plan.directory)} does not exist`);
  const owner = flags.boolean('archive') ? undefined : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const count = new ByteCount();
  const rename = (name: string) => renamed(name, plan);
  await extractArchive(count.of(response), plan.directory, { owner, keepKinds: true, rename });
  report(flags, count, target);
}

/** What a link in the container leads to. */
async function followed(engine: EngineClient, place: CopyPlace): Promise<CopyPlace> {
  const stat = await statInside(engine, place);
  return isSymlink(stat) ? { ...place, path: stat.linkTarget } : place;
}

function localEnd(path: string): CopyEnd {
  const stat = statSync(path, { throwIfNoEntry: false });
  return { path, exists: stat !== undefined, isDirectory: stat?.isDirectory() === true };
}

async function copyIn(engine: EngineClient, source: string, target: CopyPlace, flags: FlagReader): Promise<void> {
  const end = await endInside(engine, target);
  const query = (path: string) => ({
    path,
    noOverwriteDirNonDir: '1',
    copyUIDGID: flags.boolean('archive') ? '1' : undefined,
  });
  if (source === '-') {
    if (!end.isDirectory) throw invalidArgument(`destination "${target.container}:${target.path}" must be a directory`);
    await engine.text('PUT', archivePath(target), { query: query(end.path), body: process.stdin });
    return;
  }
  const path = flags.boolean('follow-link') || source.endsWith('/') ? resolved(source) : source;
  const plan = planCopy({ path: source, isDirectory: directoryAt(path) }, memberName(source), end);
  const count = new ByteCount();
  const body = Readable.from(count.of(localTar(path.replace(/(.)\/\.?$/, '$1'), plan.to)));
  await engine.text('PUT', archivePath(target), { query: query(plan.directory), body });
  report(flags, count, `${target.container}:${target.path}`);
}

function resolved(path: string): string {
  const real = realpathSync(path);
  return meansContent(path) ? `${real}/.` : real;
}

/** Throws not-found in docker's words. */
function directoryAt(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    throw invalidArgument(`lstat ${path}: no such file or directory`);
  }
}

/** A link at the target leads to the place that is meant, whether something is there or not. */
async function endInside(engine: EngineClient, place: CopyPlace): Promise<CopyEnd> {
  const path = posix.isAbsolute(place.path) ? place.path : `/${place.path}`;
  try {
    const stat = await statInside(engine, { ...place, path });
    if (!isSymlink(stat)) return { path, exists: true, isDirectory: isDirectory(stat) };
    const led = await statInside(engine, { ...place, path: stat.linkTarget });
    return { path: stat.linkTarget, exists: true, isDirectory: isDirectory(led) };
  } catch (error) {
    // An answer to HEAD says no more; whether it is the container that is missing, the next request tells.
    if (!isErrorCode(error, 'not-found')) throw error;
    return { path, exists: false, isDirectory: false };
  }
}

/** Counts what goes by. */
class ByteCount {
  bytes = 0;

  async *of(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of source) {
      this.bytes += chunk.length;
      yield chunk;
    }
  }
}

function report(flags: FlagReader, { bytes }: ByteCount, place: string): void {
  const quiet = flags.has('quiet') ? flags.boolean('quiet') : !process.stderr.isTTY;
  if (!quiet) process.stderr.write(`Successfully copied ${humanSize(bytes, 3)} to ${place}\n`);
}
