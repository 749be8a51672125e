import { posix } from 'node:path';
import { invalidArgument, isErrorCode } from '../base/errors.ts';
import { readIgnoreFile } from '../dockerfile/ignore-patterns.ts';
import type { Edge } from '../graph/vertex.ts';
import type { BuildOptions } from './build-options.ts';
import type { FrontendGateway, FrontendRequest } from './frontend.ts';
import { localSource } from './local-source.ts';
import { openRemoteContext } from './remote-context.ts';

/** Where the Dockerfile and the files for COPY come from. */
export interface BuildContext {
  readonly dockerfile: Uint8Array;
  readonly filename: string;
  /** Where the Dockerfile was read from. */
  readonly definition: Edge | undefined;
  /** The context with at least these paths; all of it when there are none. */
  files(paths: readonly string[]): Edge | undefined;
  /** Of a client's directory; a context from elsewhere is taken as it is. */
  readonly ignorePatterns: readonly string[];
}

const contextName = 'context';

/** Reads the Dockerfile and the ignore file through the client (reference dockerfile.md §1). */
export async function openBuildContext(
  gateway: FrontendGateway,
  options: BuildOptions,
  request: FrontendRequest,
): Promise<BuildContext> {
  const remote = await openRemoteContext(gateway, options, request);
  const dockerfile = await readDockerfile(gateway, options, remote);
  const { bytes, name, definition, own } = dockerfile;
  if (remote?.context) {
    const { files } = remote.context;
    return { dockerfile: bytes, filename: name, definition, ignorePatterns: [], files: () => files };
  }
  const session = options.localSessions.get(contextName) ?? gateway.sessionId;
  const ignorePatterns = patternsIn(own ?? (await readIgnoreBytes(gateway, session)));
  return {
    dockerfile: bytes,
    filename: name,
    definition,
    ignorePatterns,
    files: (followPaths) =>
      localSource(contextName, {
        session,
        sharedKeyHint: contextName,
        name: '[internal] load build context',
        followPaths,
        exclude: ignorePatterns,
      }),
  };
}

interface FoundDockerfile {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly definition: Edge | undefined;
  /** `<Dockerfile>.dockerignore` beside it, which goes before the context's own. */
  readonly own: Uint8Array | undefined;
}

async function readDockerfile(
  gateway: FrontendGateway,
  options: BuildOptions,
  remote: Awaited<ReturnType<typeof openRemoteContext>>,
): Promise<FoundDockerfile> {
  const filename = remote?.filename ?? options.filename;
  const isUsual = posix.basename(filename) === 'Dockerfile';
  const lower = isUsual ? [posix.join(posix.dirname(filename), 'dockerfile')] : [];
  const forced = options.raw.get('dockerfilekey');
  const local = forced ?? 'dockerfile';
  const edge =
    forced === undefined && remote?.dockerfile
      ? remote.dockerfile.files
      : localSource(local, {
          session: options.localSessions.get(local) ?? gateway.sessionId,
          sharedKeyHint: local,
          name: `[internal] load build definition from ${filename}`,
          followPaths: [filename, `${filename}.dockerignore`, ...lower],
          isMetadata: true,
        });
  for (const name of edge ? [filename, ...lower] : []) {
    const bytes = edge && (await gateway.readFile(edge, name));
    if (bytes) return { bytes, name, definition: edge, own: await gateway.readFile(edge, `${filename}.dockerignore`) };
  }
  throw invalidArgument(`failed to read dockerfile: open ${filename}: no such file or directory`, {
    hint: 'give its name with -f, or run the build in the directory that has it',
  });
}

/** A client without a context has nothing to ignore; a step that needs it will say so. */
async function readIgnoreBytes(gateway: FrontendGateway, session: string): Promise<Uint8Array | undefined> {
  const edge = localSource(contextName, {
    session,
    sharedKeyHint: `${contextName}-.dockerignore`,
    name: '[internal] load .dockerignore',
    followPaths: ['.dockerignore'],
    isMetadata: true,
  });
  try {
    return await gateway.readFile(edge, '.dockerignore');
  } catch (error) {
    if (isErrorCode(error, 'not-found')) return undefined;
    throw error;
  }
}

function patternsIn(bytes: Uint8Array | undefined): readonly string[] {
  return bytes ? readIgnoreFile(Buffer.from(bytes).toString('utf8')) : [];
}
