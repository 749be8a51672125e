import { invalidArgument } from '../base/errors.ts';
import type { Diagnostic } from '../dockerfile/diagnostic.ts';
import type { Platform } from '../oci/platform.ts';
import { type ConversionParts, type ConvertedTarget, convertDockerfile } from './dockerfile-converter.ts';
import { type LintedBuild, lintBuild } from './lint-build.ts';
import { dockerfileOf, type PreparedBuild } from './prepare-build.ts';
import type { LoadedStages } from './stage-loader.ts';

/** The target for each platform. Lint warnings go to the client, once; they fail the build if the file says so. */
export async function convertTargets(build: PreparedBuild): Promise<readonly ConvertedTarget[]> {
  const [first, ...others] = build.options.platforms;
  const targets = await Promise.all([
    convertWithWarnings(build, first),
    ...others.map((platform) => convertTarget(build, platform)),
  ]);
  return targets;
}

/** Undefined is the worker's own platform. */
export async function convertTarget(
  build: PreparedBuild,
  platform: Platform | undefined,
  more: Pick<ConversionParts, 'allStages' | 'onLoaded'> = {},
): Promise<ConvertedTarget> {
  const { gateway, options, context, named } = build;
  return convertDockerfile({ gateway, dockerfile: dockerfileOf(build), options, context, named, platform, ...more });
}

async function convertWithWarnings(build: PreparedBuild, platform: Platform | undefined): Promise<ConvertedTarget> {
  let linted: LintedBuild | undefined;
  const lint = (loaded?: LoadedStages) => {
    linted = lintBuild(build, loaded, build.options.target ?? lastStage(build));
    for (const warning of linted.warnings) warn(build, warning);
  };
  try {
    const target = await convertTarget(build, platform, { onLoaded: lint });
    if (linted?.failure === undefined) return target;
  } catch (error) {
    // A file that cannot be built is warned about all the same.
    if (!linted) lint();
    throw error;
  }
  throw invalidArgument(linted.failure);
}

/** What is built where nobody names a target. */
function lastStage({ parsed }: PreparedBuild): string | undefined {
  const count = parsed.dockerfile?.stages.length ?? 0;
  return count === 0 ? undefined : `${count - 1}`;
}

function warn(
  { gateway, source, context }: PreparedBuild,
  { rule, message, range, description, url }: Diagnostic,
): void {
  gateway.warn({
    short: `${rule}: ${message}${range.startLine > 0 ? ` (line ${range.startLine})` : ''}`,
    detail: [description ?? ''],
    url: url ?? '',
    source,
    ranges: [range],
    vertex: context.definition?.vertex.digest,
  });
}
