import { invalidArgument } from '../base/errors.ts';
import type { Diagnostic } from '../dockerfile/diagnostic.ts';
import type { Platform } from '../oci/platform.ts';
import { type ConversionParts, type ConvertedTarget, convertDockerfile } from './dockerfile-converter.ts';
import { lintBuild } from './lint-build.ts';
import { dockerfileOf, type PreparedBuild } from './prepare-build.ts';

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
  let failure: string | undefined;
  const target = await convertTarget(build, platform, {
    onLoaded: (loaded) => {
      const linted = lintBuild(build, loaded);
      for (const warning of linted.warnings) warn(build, warning);
      ({ failure } = linted);
    },
  });
  if (failure !== undefined) throw invalidArgument(failure);
  return target;
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
