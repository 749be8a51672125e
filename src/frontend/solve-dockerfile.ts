import { DockerfileError } from '../dockerfile/diagnostic.ts';
import { detectSyntax } from '../dockerfile/directives.ts';
import type { SourceRange } from '../dockerfile/instruction.ts';
import { formatPlatformInFull } from '../oci/platform.ts';
import type { BuildContext } from './build-context.ts';
import type { BuildOptions } from './build-options.ts';
import { builtinCapabilities, requireCapabilities } from './capabilities.ts';
import { convertTargets } from './convert-targets.ts';
import type { ConvertedTarget } from './dockerfile-converter.ts';
import type { FrontendGateway, FrontendRequest, FrontendResult } from './frontend.ts';
import { isBuiltinFrontend } from './frontend-image.ts';
import { prepareBuild } from './prepare-build.ts';
import { locateError, SourceError } from './source-error.ts';
import { answerSubrequest } from './subrequests/answer-subrequest.ts';

/** Runs the frontend of an image with further options. */
export type ForwardFrontend = (image: string, options: ReadonlyMap<string, string>) => Promise<FrontendResult>;

/**
 * The frontend `dockerfile.v0`: options in, per platform a state and an image config out. A file that asks for a frontend of its own
 * (`# syntax=`) is handed on to it, unless this one is what it asks for.
 */
export async function solveDockerfile(
  gateway: FrontendGateway,
  request: FrontendRequest,
  forward?: ForwardFrontend,
): Promise<FrontendResult> {
  const build = await prepareBuild(gateway, request);
  const { source, options, context } = build;
  const foreign = request.options.has('cmdline') ? undefined : foreignSyntax(options, context);
  requireCapabilities(request.options.get('frontend.caps'), builtinCapabilities, { mayForward: foreign !== undefined });
  if (foreign && forward) {
    try {
      return await forward(foreign.image, new Map([['cmdline', foreign.commandLine]]));
    } catch (error) {
      throw foreign.range ? locateError(error, foreign.range, context) : error;
    }
  }
  const requestId = request.options.get('requestid');
  if (requestId !== undefined) return { ...(await answerSubrequest(requestId, build)), source };
  try {
    return { ...resultOf(await convertTargets(build), options.multiPlatform), source };
  } catch (error) {
    throw error instanceof DockerfileError
      ? new SourceError(
          error,
          source,
          error.diagnostics.map(({ range }) => range),
        )
      : error;
  }
}

interface ForeignSyntax {
  readonly image: string;
  readonly commandLine: string;
  /** Of the directive; absent where the client said it. */
  readonly range?: SourceRange;
}

/** The frontend image that the client or the file asks for, when it is not what is built in. */
function foreignSyntax({ buildArgs }: BuildOptions, { dockerfile }: BuildContext): ForeignSyntax | undefined {
  const given = buildArgs.get('BUILDKIT_SYNTAX')?.trim();
  const text = Buffer.from(dockerfile).toString('utf8');
  const commandLine = given || detectSyntax(text);
  const image = commandLine?.split(/\s/, 1)[0];
  if (!commandLine || !image || isBuiltinFrontend(image)) return undefined;
  if (given) return { image, commandLine };
  const line = text.split('\n').findIndex((each) => each.includes('syntax') && each.includes(image)) + 1;
  return { image, commandLine, range: { startLine: line, startCharacter: 0, endLine: line, endCharacter: 0 } };
}

function resultOf(targets: readonly ConvertedTarget[], isMap: boolean): Pick<FrontendResult, 'refs' | 'metadata'> {
  const refs: [string, ConvertedTarget['edge']][] = [];
  const metadata = new Map<string, Uint8Array>();
  const add = (key: string, value: unknown) => metadata.set(key, Buffer.from(JSON.stringify(value)));
  for (const { edge, config, baseConfig, platform, epoch } of targets) {
    const id = isMap ? formatPlatformInFull(platform) : '';
    const suffix = isMap ? `/${id}` : '';
    refs.push([id, edge]);
    add(`containerimage.config${suffix}`, config);
    if (baseConfig) add(`containerimage.base.config${suffix}`, baseConfig);
    if (epoch !== undefined) add(`source.date.epoch${suffix}`, epoch);
  }
  const platforms = targets.map(({ platform }) => ({ ID: formatPlatformInFull(platform), Platform: platform }));
  add('refs.platforms', { Platforms: platforms });
  return { refs: new Map(refs), metadata };
}
