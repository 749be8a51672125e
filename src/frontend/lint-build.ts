import type { Diagnostic } from '../dockerfile/diagnostic.ts';
import { lintDockerfile, lintFailure } from '../dockerfile/lint/lint-dockerfile.ts';
import type { BaseImage, LintOptions } from '../dockerfile/lint/lint-options.ts';
import { formatPlatform, normalizePlatform, type Platform } from '../oci/platform.ts';
import type { PreparedBuild } from './prepare-build.ts';
import { platformArgs } from './scopes.ts';
import type { LoadedStage, LoadedStages } from './stage-loader.ts';

export interface LintedBuild {
  readonly warnings: readonly Diagnostic[];
  /** Set when the file asks for warnings to fail the build and there are some. */
  readonly failure: string | undefined;
}

/**
 * What the linter has to say about a Dockerfile as this build uses it; without its base images where they could not be loaded. All stages
 * are looked at where there is no target.
 */
export function lintBuild(
  build: PreparedBuild,
  loaded: LoadedStages = new Map(),
  target: string | undefined = build.options.target,
): LintedBuild {
  const { parsed, options, context } = build;
  const platform = options.platforms[0] ?? options.buildPlatform;
  const byStage = new Map(Array.from(loaded.values(), (stage) => [stage.planned.stage, stage]));
  const lintOptions: LintOptions = {
    buildArgs: options.buildArgs,
    target,
    check: options.buildArgs.get('BUILDKIT_DOCKERFILE_CHECK') || undefined,
    ignorePatterns: context.ignorePatterns,
    platformArgs: platformArgs(options, platform, options.target),
    baseImage: (stage) => baseImage(byStage.get(stage)),
  };
  const warnings = lintDockerfile(parsed, lintOptions);
  return { warnings, failure: lintFailure(parsed, warnings, lintOptions) };
}

function baseImage({ base }: Partial<Pick<LoadedStage, 'base'>> = {}): BaseImage | undefined {
  if (!base) return undefined;
  const { config, platform } = base;
  return {
    environment: new Map((config?.config?.Env ?? []).map(readVariable)),
    hasShell: (config?.config?.Shell?.length ?? 0) > 0,
    platform: config && mismatch(platform, config),
  };
}

function readVariable(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** Only the system and the architecture count: of their variants one image often serves several. */
function mismatch(expected: Platform, actual: Platform): BaseImage['platform'] {
  if (expected.os === actual.os && expected.architecture === actual.architecture) return undefined;
  return { expected: shown(expected), actual: shown(actual) };
}

function shown(platform: Platform): string {
  return formatPlatform(normalizePlatform(platform));
}
