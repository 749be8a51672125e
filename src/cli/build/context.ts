import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { errorMessage, invalidArgument, notFound, SlipwayError } from '../../base/errors.ts';
import type { ServedLayout } from '../../client/serve-content.ts';
import { parseGitUrl } from '../../frontend/git-url.ts';
import type { FlagReader } from '../flags.ts';
import { readNamedContexts } from './named-contexts.ts';

export interface BuildInputs {
  readonly directories: ReadonlyMap<string, string>;
  readonly layouts: ReadonlyMap<string, ServedLayout>;
  readonly options: Readonly<Record<string, string>>;
  /** The Dockerfile as the user named it; undefined where it comes with a remote context. */
  readonly shownDockerfile: string | undefined;
  /** Where it lies, when it is a file of the user's. */
  readonly dockerfileDirectory: string | undefined;
  /** Removes what was unpacked for the build. */
  close(): void;
}

/** The context, the Dockerfile and further contexts, from wherever the command line says. */
export async function openContext(context: string, flags: FlagReader): Promise<BuildInputs> {
  const directories = new Map<string, string>();
  const options: Record<string, string> = {};
  const made: string[] = [];
  const temporary = () => {
    const path = mkdtempSync(join(tmpdir(), 'slipway-context-'));
    made.push(path);
    return path;
  };
  const file = flags.text('file');
  if (context === '-') await fromStdin(directories, options, temporary, file);
  else if (parseGitUrl(context) || isUrl(context)) {
    options.context = context;
    if (file !== undefined) options.filename = file;
  } else await fromDirectory(context, file, directories, options, temporary);
  const named = readNamedContexts(flags.list('build-context'));
  return {
    directories: new Map([...directories, ...named.directories]),
    layouts: named.layouts,
    options: { ...options, ...named.options },
    shownDockerfile: directories.has('dockerfile') ? shownDockerfile(context, file) : undefined,
    dockerfileDirectory:
      context === '-' || file === '-' || isUrl(file ?? '') ? undefined : directories.get('dockerfile'),
    close: () => {
      for (const path of made) rmSync(path, { recursive: true, force: true });
    },
  };
}

function isUrl(text: string): boolean {
  return /^https?:\/\//.test(text);
}

function shownDockerfile(context: string, file: string | undefined): string {
  if (file !== undefined && file !== '-') return file;
  return context === '-' || file === '-' ? 'Dockerfile' : join(context, 'Dockerfile');
}

async function fromDirectory(
  context: string,
  file: string | undefined,
  directories: Map<string, string>,
  options: Record<string, string>,
  temporary: () => string,
): Promise<void> {
  const directory = resolve(context);
  const stat = statSync(directory, { throwIfNoEntry: false });
  if (!stat) throw notFound(`unable to prepare context: path ${JSON.stringify(context)} not found`);
  if (!stat.isDirectory())
    throw invalidArgument(`unable to prepare context: path ${JSON.stringify(context)} is not a directory`);
  directories.set('context', directory);
  if (file !== undefined && (file === '-' || isUrl(file))) {
    const place = temporary();
    writeFileSync(join(place, 'Dockerfile'), file === '-' ? await readStdin() : await download(file));
    directories.set('dockerfile', place);
    return;
  }
  const path = file === undefined ? join(directory, 'Dockerfile') : resolve(file);
  // A Dockerfile may be named from the context too.
  const found = existsSync(path) || file === undefined ? path : join(directory, file);
  directories.set('dockerfile', dirname(found));
  options.filename = basename(found);
}

async function fromStdin(
  directories: Map<string, string>,
  options: Record<string, string>,
  temporary: () => string,
  file: string | undefined,
): Promise<void> {
  if (file === '-') throw invalidArgument('cannot read both the Dockerfile and the context from standard input');
  const bytes = await readStdin();
  const [{ extractArchive }, { detectCompression }] = await Promise.all([
    import('../../archive/apply-layer.ts'),
    import('../../archive/compression.ts'),
  ]);
  const place = temporary();
  const isTar = detectCompression(bytes) !== 'none' || bytes.toString('latin1', 257, 262) === 'ustar';
  if (isTar) {
    await extractArchive(
      (async function* () {
        yield bytes;
      })(),
      place,
    );
  } else writeFileSync(join(place, 'Dockerfile'), bytes);
  directories.set('dockerfile', place);
  directories.set('context', isTar ? place : temporary());
  if (file !== undefined) options.filename = file;
}

async function readStdin(): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(process.stdin as AsyncIterable<Buffer>));
}

/** More than a Dockerfile ever has. Bytes. */
const downloadLimit = 16 * 1024 * 1024;
const downloadPatience = 60_000;

/** `-f https://…`: fetched by this client, as its user may be the only one who can reach it. */
async function download(url: string): Promise<Uint8Array> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(downloadPatience) });
    if (!response.ok) throw new SlipwayError('unavailable', `the server answered ${response.status}`);
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of response.body ?? []) {
      size += piece.length;
      if (size > downloadLimit) throw invalidArgument(`it has more than ${downloadLimit} bytes`);
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  } catch (error) {
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new SlipwayError('unavailable', `cannot fetch Dockerfile ${JSON.stringify(url)}: ${errorMessage(reason)}`);
  }
}
