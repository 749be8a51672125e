import { invalidArgument } from '../base/errors.ts';
import type { Dockerfile, SourceRange } from '../dockerfile/instruction.ts';
import { verticesOf } from '../graph/definition.ts';
import { fileOp, sourceOp } from '../graph/ops.ts';
import type { Edge } from '../graph/vertex.ts';
import type { Platform } from '../oci/platform.ts';
import type { BuildContext } from './build-context.ts';
import type { BuildOptions } from './build-options.ts';
import { epochStageSource } from './epoch-stage.ts';
import type { FrontendGateway } from './frontend.ts';
import type { NamedContexts } from './named-contexts.ts';
import type { GlobalScope } from './scopes.ts';

const name = 'SOURCE_DATE_EPOCH';

export interface EpochParts {
  readonly gateway: FrontendGateway;
  readonly dockerfile: Dockerfile;
  readonly context: BuildContext;
  readonly named: NamedContexts;
  readonly platform: Platform;
  readonly options: BuildOptions;
  readonly globals: GlobalScope;
  readonly locate: (error: unknown, range: SourceRange) => unknown;
}

/** The time that everything gets, in seconds since 1970; stages then see it as a number, or not at all. */
export interface ResolvedEpoch {
  readonly epoch: number | undefined;
  readonly options: BuildOptions;
  readonly globals: GlobalScope;
}

/**
 * `SOURCE_DATE_EPOCH` from the client, else from a global ARG's default: seconds, or the name of what is as old as the image shall
 * say: `context`, a named context, or a stage that adds one thing from the network. A client's directory has no such time.
 */
export async function resolveSourceDateEpoch(parts: EpochParts): Promise<ResolvedEpoch> {
  const { options, globals } = parts;
  const given = options.buildArgs.get(name);
  const value = given ?? globals.values.get(name) ?? '';
  if (given === undefined && value === '') return { epoch: undefined, options, globals };
  const epoch = await epochOf(value, parts);
  const text = epoch === undefined ? undefined : `${epoch}`;
  return {
    epoch,
    options: given === undefined ? options : { ...options, buildArgs: withValue(options.buildArgs, text) },
    globals: globals.values.has(name) ? { ...globals, values: withValue(globals.values, text) } : globals,
  };
}

async function epochOf(value: string, parts: EpochParts): Promise<number | undefined> {
  if (value === '') return undefined;
  if (/^\d{1,12}$/.test(value)) return Number(value);
  const { gateway, context, named, platform } = parts;
  if (value === 'context') return timeOf(gateway, context.files([]));
  const state = /^[\w.:/@-]+$/.test(value) ? await named.state(value, platform) : undefined;
  if (state) return timeOf(gateway, state.files([]));
  const stage = parts.dockerfile.stages.find(({ from }) => from.stageName === value.toLowerCase());
  if (!stage)
    throw invalidArgument(`invalid SOURCE_DATE_EPOCH: ${value}`, {
      hint: 'want seconds since 1970, "context", or the name of a context or stage',
    });
  try {
    return timeOf(gateway, epochStageSource(stage, parts));
  } catch (error) {
    throw parts.locate(error, stage.from.range);
  }
}

function withValue(values: ReadonlyMap<string, string>, text: string | undefined): ReadonlyMap<string, string> {
  const changed = new Map(values);
  if (text === undefined) changed.delete(name);
  else changed.set(name, text);
  return changed;
}

/** A commit's time, a download's, or that of the newest file in a downloaded archive; undefined where there is more than one source. */
async function timeOf(gateway: FrontendGateway, edge: Edge | undefined): Promise<number | undefined> {
  const sources = edge ? verticesOf(edge.vertex).filter(({ op }) => op.op.case === 'source') : [];
  const [source] = sources;
  if (sources.length !== 1 || source?.op.op.case !== 'source') return undefined;
  const { identifier, attrs } = source.op.op.value;
  const options = { name: `[internal] resolve SOURCE_DATE_EPOCH of ${identifier.replace(/\/\/[^/@]*@/, '//')}` };
  if (identifier.startsWith('git://'))
    return gateway.fileTime(sourceOp(identifier, { ...attrs, 'git.mtime': 'commit' }, options), '/');
  if (!/^https?:\/\//.test(identifier)) return undefined;
  const filename = attrs['http.filename'] ?? '';
  const file = { vertex: source, index: 0 };
  // A server that does not say leaves the file with no time.
  const modified = await gateway.fileTime(file, `/${filename}`);
  return modified ? modified : archiveTime(gateway, file, filename);
}

async function archiveTime(gateway: FrontendGateway, file: Edge, filename: string): Promise<number | undefined> {
  const value = {
    src: `/${filename}`,
    dest: '/',
    mode: -1,
    timestamp: -1n,
    attemptUnpackDockerCompatibility: true,
  };
  const unpacked = fileOp(undefined, [{ from: file, action: { case: 'copy', value } }], {
    name: `[internal] look at the times in ${filename}`,
  });
  const names = await gateway.readDirectory(unpacked, '/');
  if (names.length === 1 && names[0] === filename) return undefined;
  return gateway.latestTime(unpacked);
}
