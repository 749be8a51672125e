import { posix } from 'node:path';
import { invalidArgument } from '../base/errors.ts';
import { fileOp, sourceOp } from '../graph/ops.ts';
import type { Edge } from '../graph/vertex.ts';
import { type BuildOptions, isTrue } from './build-options.ts';
import type { FrontendGateway, FrontendRequest } from './frontend.ts';
import { gitSource, parseGitUrl } from './git-url.ts';

/** Files that come from elsewhere than the client's directories; undefined files are none. */
interface RemoteFiles {
  readonly files: Edge | undefined;
}

export interface RemoteContext {
  /** What COPY takes from; absent where that is the client's directory after all. */
  readonly context: RemoteFiles | undefined;
  /** What the Dockerfile is in; absent where that is the client's directory. */
  readonly dockerfile: RemoteFiles | undefined;
  /** The Dockerfile's name where it is not the client's to choose. */
  readonly filename?: string;
}

/** The context from git, from a URL, or handed in by the client as a state; undefined when it is the client's directory. */
export async function openRemoteContext(
  gateway: FrontendGateway,
  options: BuildOptions,
  request: FrontendRequest,
): Promise<RemoteContext | undefined> {
  const { raw } = options;
  const found = await findContext(gateway, options, request, raw.get(raw.get('contextkey') ?? 'context') ?? '');
  const directory = raw.get('contextsubdir');
  if (!found?.context || directory === undefined) return found;
  return { ...found, context: { files: within(found.context.files, directory) } };
}

async function findContext(
  gateway: FrontendGateway,
  options: BuildOptions,
  { inputs }: FrontendRequest,
  text: string,
): Promise<RemoteContext | undefined> {
  const git = parseGitUrl(text);
  if (git) {
    const files = gitSource(git, {
      name: `[internal] load git source ${text}`,
      ...(isTrue(options.buildArgs.get('BUILDKIT_CONTEXT_KEEP_GIT_DIR')) ? { keepGitDir: true } : {}),
      commitTimes: (options.buildArgs.get('SOURCE_DATE_EPOCH') ?? '') !== '',
    });
    return { context: { files }, dockerfile: { files } };
  }
  if (/^https?:\/\//.test(text)) return openHttpContext(gateway, text);
  const main = inputs.has('context') ? { files: inputs.get('context') } : undefined;
  const dockerfile = inputs.has('dockerfile') ? { files: inputs.get('dockerfile') } : undefined;
  if (main || dockerfile) return { context: main, dockerfile };
  if (text === '' || text.startsWith('local:')) return undefined;
  throw invalidArgument(`cannot use ${JSON.stringify(text)} as the build context`, {
    hint: 'want a directory, a git repository, an https:// URL or -',
  });
}

const downloaded = 'context';

/** An archive is the context; any other file is the Dockerfile of a build without one. */
async function openHttpContext(gateway: FrontendGateway, url: string): Promise<RemoteContext> {
  const file = sourceOp(url, { 'http.filename': downloaded }, { name: '[internal] load remote build context' });
  const start = await gateway.readFile(file, downloaded, { length: 1024 });
  if (!start || !isArchive(Buffer.from(start)))
    return { context: { files: file }, dockerfile: { files: file }, filename: downloaded };
  const value = {
    src: `/${downloaded}`,
    dest: '/',
    mode: -1,
    timestamp: -1n,
    attemptUnpackDockerCompatibility: true,
  };
  const files = fileOp(undefined, [{ from: file, action: { case: 'copy', value } }]);
  return { context: { files }, dockerfile: { files } };
}

const signatures = [
  [0x42, 0x5a, 0x68],
  [0x1f, 0x8b, 0x08],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  [0x28, 0xb5, 0x2f, 0xfd],
];

/** A tar, plain or compressed by bzip2, gzip, xz or zstd. */
function isArchive(start: Buffer): boolean {
  if (signatures.some((signature) => start.subarray(0, signature.length).equals(Buffer.from(signature)))) return true;
  return start.length >= 512 && start.toString('latin1', 257, 262) === 'ustar';
}

function within(files: Edge | undefined, directory: string): Edge {
  const src = posix.resolve('/', directory);
  const value = { src, dest: '/', mode: -1, timestamp: -1n, dirCopyContents: true };
  return fileOp(undefined, [{ from: files, action: { case: 'copy', value } }]);
}
