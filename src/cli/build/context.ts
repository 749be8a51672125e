import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { invalidArgument, notFound } from '../../base/errors.ts';
import { parseGitUrl } from '../../frontend/git-url.ts';
import type { FlagReader } from '../flags.ts';

export interface BuildInputs {
  readonly directories: ReadonlyMap<string, string>;
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
  else if (parseGitUrl(context) || /^https?:\/\//.test(context)) {
    options.context = context;
    if (file !== undefined) options.filename = file;
  } else await fromDirectory(context, file, directories, options, temporary);
  addNamedContexts(flags.list('build-context'), directories, options);
  return {
    directories,
    options,
    shownDockerfile: directories.has('dockerfile') ? shownDockerfile(context, file) : undefined,
    dockerfileDirectory: context === '-' || file === '-' ? undefined : directories.get('dockerfile'),
    close: () => {
      for (const path of made) rmSync(path, { recursive: true, force: true });
    },
  };
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
  if (file === '-') {
    const place = temporary();
    writeFileSync(join(place, 'Dockerfile'), await readStdin());
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

function addNamedContexts(
  texts: readonly string[],
  directories: Map<string, string>,
  options: Record<string, string>,
): void {
  for (const text of texts) {
    const equals = text.indexOf('=');
    if (equals <= 0)
      throw invalidArgument(`cannot use build context ${JSON.stringify(text)}`, {
        hint: 'want name=path or name=docker-image://image',
      });
    const [name, value] = [text.slice(0, equals), text.slice(equals + 1)];
    if (/^(docker-image|oci-layout|https?|git|ssh):\/\//.test(value) || parseGitUrl(value))
      options[`context:${name}`] = value;
    else {
      const directory = resolve(value);
      if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory())
        throw notFound(
          `cannot use build context ${JSON.stringify(name)}: there is no directory ${JSON.stringify(value)}`,
        );
      directories.set(name, directory);
      options[`context:${name}`] = `local:${name}`;
    }
  }
}
