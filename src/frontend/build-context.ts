import { invalidArgument } from '../base/errors.ts';
import { readIgnoreFile } from '../dockerfile/ignore-patterns.ts';
import { sourceOp } from '../graph/ops.ts';
import type { Edge } from '../graph/vertex.ts';
import type { BuildOptions } from './build-options.ts';
import type { FrontendGateway, FrontendRequest } from './frontend.ts';
import { gitSource, parseGitUrl } from './git-url.ts';

/** Where the Dockerfile and the files for COPY come from. */
export interface BuildContext {
  readonly dockerfile: Uint8Array;
  readonly filename: string;
  /** The context with only these paths wanted of it. */
  files(paths: readonly string[]): Edge | undefined;
  readonly ignorePatterns: readonly string[];
}

const contextName = 'context';
const dockerfileName = 'dockerfile';

/** Reads the Dockerfile and the ignore file through the client (reference dockerfile.md §1). */
export async function openBuildContext(
  gateway: FrontendGateway,
  options: BuildOptions,
  request: FrontendRequest,
): Promise<BuildContext> {
  const { raw } = options;
  const remote = raw.get('context');
  if (remote !== undefined && remote !== '') return openRemoteContext(gateway, options, request, remote);
  const main = raw.get('contextkey') || contextName;
  const { bytes, name, own } = await readDockerfile(gateway, options, raw.get('dockerfilekey') || dockerfileName);
  const ignorePatterns = own ?? (await readIgnore(gateway, main)) ?? [];
  return {
    dockerfile: bytes,
    filename: name,
    ignorePatterns,
    files: (paths) =>
      localSource(gateway, main, {
        name: '[internal] load build context',
        followPaths: paths,
        exclude: ignorePatterns,
      }),
  };
}

async function readDockerfile(
  gateway: FrontendGateway,
  options: BuildOptions,
  local: string,
): Promise<{ bytes: Uint8Array; name: string; own: readonly string[] | undefined }> {
  const { filename } = options;
  const lower = filename === 'Dockerfile' ? 'dockerfile' : undefined;
  const edge = localSource(gateway, local, {
    name: `[internal] load build definition from ${filename}`,
    followPaths: [filename, `${filename}.dockerignore`, ...(lower === undefined ? [] : [lower])],
  });
  for (const name of [filename, ...(lower === undefined ? [] : [lower])]) {
    const bytes = await gateway.readFile(edge, name);
    // `<Dockerfile>.dockerignore` beside it goes before the context's own.
    if (bytes) return { bytes, name, own: patternsIn(await gateway.readFile(edge, `${name}.dockerignore`)) };
  }
  throw invalidArgument(`failed to read dockerfile: open ${filename}: no such file or directory`, {
    hint: 'give its name with -f, or run the build in the directory that has it',
  });
}

async function readIgnore(gateway: FrontendGateway, local: string): Promise<readonly string[] | undefined> {
  const edge = localSource(gateway, local, { name: '[internal] load .dockerignore', followPaths: ['.dockerignore'] });
  return patternsIn(await gateway.readFile(edge, '.dockerignore'));
}

function patternsIn(bytes: Uint8Array | undefined): readonly string[] | undefined {
  return bytes && readIgnoreFile(Buffer.from(bytes).toString('utf8'));
}

/** A directory of the client. */
export function localSource(
  gateway: FrontendGateway,
  local: string,
  options: { readonly name: string; readonly followPaths?: readonly string[]; readonly exclude?: readonly string[] },
): Edge {
  const list = (key: string, values: readonly string[] | undefined) =>
    values && values.length > 0 ? { [key]: JSON.stringify(values) } : {};
  const attrs = {
    'local.session': gateway.sessionId,
    'local.sharedkeyhint': local,
    ...list('local.followpaths', options.followPaths?.toSorted()),
    ...list('local.excludepatterns', options.exclude),
  };
  return sourceOp(`local://${local}`, attrs, { name: options.name });
}

/** The whole context from git, from a URL, or handed in as a state. */
async function openRemoteContext(
  gateway: FrontendGateway,
  options: BuildOptions,
  request: FrontendRequest,
  remote: string,
): Promise<BuildContext> {
  const root = remoteRoot(remote, request);
  const bytes = await gateway.readFile(root, options.filename);
  if (!bytes)
    throw invalidArgument(
      `failed to read dockerfile: open ${options.filename}: no such file or directory in ${JSON.stringify(remote)}`,
    );
  const ignore = await gateway.readFile(root, '.dockerignore');
  const ignorePatterns = ignore ? readIgnoreFile(Buffer.from(ignore).toString('utf8')) : [];
  return { dockerfile: bytes, filename: options.filename, ignorePatterns, files: () => root };
}

function remoteRoot(remote: string, request: FrontendRequest): Edge {
  const git = parseGitUrl(remote);
  if (git) return gitSource(git, { name: `[internal] load git source ${remote}` });
  if (remote.startsWith('input:')) {
    const edge = request.inputs.get(remote.slice('input:'.length));
    if (edge) return edge;
  }
  throw invalidArgument(`cannot use ${JSON.stringify(remote)} as the build context`, {
    hint: 'want a directory, a git repository or -',
  });
}
