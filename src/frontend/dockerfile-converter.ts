import type { Dockerfile, SourceRange } from '../dockerfile/instruction.ts';
import type { Edge } from '../graph/vertex.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import type { Platform } from '../oci/platform.ts';
import type { BuildContext } from './build-context.ts';
import type { BuildOptions } from './build-options.ts';
import type { FrontendGateway } from './frontend.ts';
import type { NamedContexts } from './named-contexts.ts';
import { globalScope } from './scopes.ts';
import { resolveSourceDateEpoch } from './source-date-epoch.ts';
import { locateError } from './source-error.ts';
import { StageBases } from './stage-bases.ts';
import { type LoadedStage, type LoadedStages, StageLoader } from './stage-loader.ts';
import { StagePass, type StagePassOptions } from './stage-pass.ts';
import { StagePlan } from './stage-plan.ts';
import type { StageState } from './stage-state.ts';
import type { PlannedStage } from './stages.ts';

/** What one target came to for one platform. */
export interface ConvertedTarget {
  readonly edge: Edge | undefined;
  readonly config: ImageConfig;
  /** Of the image that the target's stages began with. */
  readonly baseConfig: ImageConfig | undefined;
  readonly platform: Platform;
  /** Seconds since 1970. */
  readonly epoch: number | undefined;
  /** The target's stage with what can be said about it, for `--call outline`, and all others that were converted. */
  readonly stage: StageState;
  readonly stages: ReadonlyMap<PlannedStage, StageState>;
  readonly loaded: LoadedStages;
}

export interface ConversionParts {
  readonly gateway: FrontendGateway;
  readonly dockerfile: Dockerfile;
  readonly options: BuildOptions;
  readonly context: BuildContext;
  readonly named: NamedContexts;
  /** What was asked for; undefined for the worker's own. */
  readonly platform: Platform | undefined;
  /** Also the stages that the target does not need. */
  readonly allStages?: boolean | undefined;
  /** Called before anything is converted. */
  readonly onLoaded?: ((loaded: LoadedStages) => void) | undefined;
}

/** Converts the stages that a target needs, for one platform; each stage once. */
export async function convertDockerfile(parts: ConversionParts): Promise<ConvertedTarget> {
  const { gateway, dockerfile, context, named } = parts;
  const platform = parts.platform ?? parts.options.buildPlatform;
  const locate = (error: unknown, range: SourceRange) => locateError(error, range, context);
  const { options, globals, epoch } = await resolveSourceDateEpoch({
    ...parts,
    platform,
    globals: globalScope(dockerfile, parts.options, platform, locate),
    locate,
  });
  const plan = new StagePlan(dockerfile, {
    globals: globals.values,
    isReplaced: (name, wanted) => named.has(name, wanted ?? platform),
    locate,
  });
  const target = plan.target(options.target);
  const loader = new StageLoader(plan, new StageBases({ gateway, options, named, platform }), locate);
  const loaded = await loader.load(parts.allStages ? plan.stages : [target]);
  parts.onLoaded?.(loaded);
  const { stage, stages } = convertLoaded(target, {
    loaded,
    names: plan.names,
    options,
    globals,
    epoch,
    escape: dockerfile.escape,
    context: (paths) => context.files(paths),
    locate,
  });
  const config = stage.image.finish(parts.platform);
  const baseConfig = rootOf(target, loaded)?.base?.config;
  return { edge: stage.state, config, baseConfig, platform, epoch, stage, stages, loaded };
}

/** The first pass finds out which of the client's files are used; when not all of them are, a second one asks for no more. */
function convertLoaded(target: PlannedStage, parts: StagePassOptions): Pick<ConvertedTarget, 'stage' | 'stages'> {
  const first = new StagePass(parts, new Map());
  const stage = first.run(target);
  const used = first.usedPaths();
  const isPartial = Array.from(used).some(
    ([base, paths]) => paths.length > 0 && (base === 'context' || base.isSelective),
  );
  const second = isPartial ? new StagePass(parts, used) : undefined;
  return {
    stage: labelled(second?.run(target) ?? stage, parts.options),
    stages: (second ?? first).states,
  };
}

function labelled(state: StageState, { labels }: BuildOptions): StageState {
  const { config } = state.image;
  if (labels.size > 0) config.Labels = { ...config.Labels, ...Object.fromEntries(labels) };
  return state;
}

function rootOf(target: PlannedStage, loaded: LoadedStages): LoadedStage | undefined {
  let stage = target;
  while (stage.base) stage = stage.base;
  return loaded.get(stage);
}
