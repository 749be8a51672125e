import { invalidArgument, notFound } from '../base/errors.ts';
import { suggest } from '../dockerfile/diagnostic.ts';
import type { Dockerfile, Instruction, Stage } from '../dockerfile/instruction.ts';
import { parseTrigger } from '../dockerfile/parse-dockerfile.ts';
import { expandWord } from '../dockerfile/shell-word.ts';
import { sourceOp } from '../graph/ops.ts';
import type { Edge } from '../graph/vertex.ts';
import { parseImageConfig } from '../oci/parse-image-config.ts';
import { formatPlatform, type Platform, parsePlatform } from '../oci/platform.ts';
import { formatReference, parseReference, withDefaultTag } from '../oci/reference.ts';
import type { BuildContext } from './build-context.ts';
import type { BuildOptions } from './build-options.ts';
import { dispatch, isStep } from './dispatch/dispatch.ts';
import type { FrontendGateway, ResolvedConfig } from './frontend.ts';
import { ImageState } from './image-state.ts';
import type { NamedContexts } from './named-contexts.ts';
import { globalScope } from './scopes.ts';
import { locateError } from './source-error.ts';
import { type StageState, stepName } from './stage-state.ts';

/** What one target came to for one platform. */
export interface ConvertedTarget {
  readonly edge: Edge | undefined;
  readonly image: ImageState;
  readonly platform: Platform;
}

/** Converts the stages that a target needs, for one platform; each stage once. */
export class DockerfileConverter {
  readonly #gateway: FrontendGateway;
  readonly #dockerfile: Dockerfile;
  readonly #options: BuildOptions;
  readonly #context: BuildContext;
  readonly #named: NamedContexts;
  readonly #platform: Platform;
  readonly #globals: Map<string, string>;
  readonly #stages = new Map<Stage, Promise<StageState>>();
  readonly #contextPaths: ReadonlySet<string>;

  constructor(
    gateway: FrontendGateway,
    dockerfile: Dockerfile,
    parts: {
      readonly options: BuildOptions;
      readonly context: BuildContext;
      readonly named: NamedContexts;
      readonly platform: Platform;
      readonly contextPaths: ReadonlySet<string>;
    },
  ) {
    this.#gateway = gateway;
    this.#dockerfile = dockerfile;
    this.#options = parts.options;
    this.#context = parts.context;
    this.#named = parts.named;
    this.#platform = parts.platform;
    this.#contextPaths = parts.contextPaths;
    this.#globals = globalScope(dockerfile.globalArgs, parts.options, parts.platform, dockerfile.escape);
  }

  async convert(): Promise<ConvertedTarget> {
    const target = findTarget(this.#dockerfile.stages, this.#options.target);
    await this.#refuseCycles(target);
    const stage = await this.#stage(target);
    for (const [key, value] of this.#options.labels) {
      stage.image.config.Labels = { ...stage.image.config.Labels, [key]: value };
    }
    return { edge: stage.state, image: stage.image, platform: stage.platform };
  }

  #stage(stage: Stage): Promise<StageState> {
    let state = this.#stages.get(stage);
    if (!state) {
      state = this.#convertStage(stage);
      this.#stages.set(stage, state);
    }
    return state;
  }

  async #convertStage(stage: Stage): Promise<StageState> {
    // The stages and images that this one copies from are converted first: dispatching then needs nothing more.
    const instructions = stage.instructions;
    const [state, copied] = await Promise.all([this.#begin(stage), this.#sourcesOf(stage, instructions)]);
    const triggers = this.#triggers(state);
    const triggered = await this.#sourcesOf(stage, triggers);
    const all = [...triggers, ...instructions];
    const sources = new Map([...copied, ...triggered]);
    for (const instruction of all) {
      try {
        dispatch(state, instruction, {
          globals: this.#globals,
          // A base image's triggers may want any file.
          sources: (from) =>
            from === undefined
              ? this.#context.files(triggers.length > 0 ? [] : [...this.#contextPaths])
              : sources.get(from),
        });
      } catch (error) {
        throw locateError(error, instruction.range, this.#context);
      }
    }
    return state;
  }

  #triggers(state: StageState): Instruction[] {
    const { OnBuild: triggers = [], ...config } = state.image.config;
    state.image.config = config;
    return triggers.map((trigger) => ({ ...parseTrigger(trigger), range: state.stage.from.range }));
  }

  async #begin(stage: Stage): Promise<StageState> {
    const { from } = stage;
    try {
      const platform = this.#platformOf(stage);
      const index = this.#dockerfile.stages.indexOf(stage);
      const name = expandWord(from.image, this.#globals, this.#dockerfile).result;
      if (name === '')
        throw invalidArgument(`base name (${from.image}) should not be blank`, {
          hint: 'give the ARG a default, or set it with --build-arg',
        });
      const earlier = await this.#named.state(name, platform);
      const base = earlier
        ? undefined
        : this.#dockerfile.stages.slice(0, index).findLast((each) => each.from.stageName === name.toLowerCase());
      const naming = {
        platformPrefix: this.#options.multiPlatform ? `${formatPlatform(platform)} ` : '',
        stageName: this.#dockerfile.stages.length > 1 ? (from.stageName ?? `stage-${index}`) : '',
        total: stage.instructions.filter(isStep).length + (base || name === 'scratch' ? 0 : 1),
        count: 0,
      };
      const common = {
        stage,
        index,
        platform,
        ignoreCache: this.#ignoresCache(stage, index),
        options: this.#options,
        escape: this.#dockerfile.escape,
        naming,
        args: new Map<string, string>(),
        cmdSet: false,
        shellSet: false,
      };
      if (base) {
        const parent = await this.#stage(base);
        return {
          ...common,
          image: parent.image.fork(this.#options.epoch),
          args: new Map(parent.args),
          state: parent.state,
        };
      }
      if (name === 'scratch' && !earlier)
        return { ...common, image: new ImageState(undefined, platform, this.#options.epoch), state: undefined };
      const resolved = earlier ?? (await this.#image(name, platform, naming));
      return { ...common, image: new ImageState(resolved.config, platform, this.#options.epoch), state: resolved.edge };
    } catch (error) {
      throw locateError(error, from.range, this.#context);
    }
  }

  #platformOf({ from }: Stage): Platform {
    if (from.platform === undefined) return this.#platform;
    const text = expandWord(from.platform, this.#globals, this.#dockerfile).result;
    if (text === '') throw invalidArgument(`empty platform value from expression ${from.platform}`);
    return parsePlatform(text);
  }

  #ignoresCache(stage: Stage, index: number): boolean {
    const { noCache } = this.#options;
    if (typeof noCache === 'boolean') return noCache;
    return noCache.has(stage.from.stageName ?? '') || noCache.has(`${index}`);
  }

  async #image(name: string, platform: Platform, naming?: StageState['naming']) {
    const reference = formatReference(withDefaultTag(parseReference(name)));
    const resolved: ResolvedConfig = await this.#gateway.resolveImageConfig(reference, {
      platform,
      resolveMode: this.#options.resolveMode,
      logName: `[internal] load metadata for ${reference}`,
    });
    const pinned = resolved.reference.includes('@') ? resolved.reference : `${resolved.reference}@${resolved.digest}`;
    const shown = naming ? stepName(naming, `FROM ${pinned}`) : `FROM ${pinned}`;
    const mode = this.#options.resolveMode === 'default' ? {} : { 'image.resolvemode': this.#options.resolveMode };
    const edge = sourceOp(`docker-image://${pinned}`, mode, { name: shown, platform });
    return { edge, config: parseImageConfig(resolved.config) };
  }

  /** The states behind every `--from=` and mount `from=` of these instructions. */
  async #sourcesOf(stage: Stage, instructions: readonly Instruction[]): Promise<Map<string, Edge | undefined>> {
    const names = new Map<string, Instruction>();
    for (const instruction of instructions) for (const name of fromNames(instruction)) names.set(name, instruction);
    const entries = [...names].map(async ([name, instruction]) => {
      try {
        return [name, await this.#source(stage, name)] as const;
      } catch (error) {
        throw locateError(error, instruction.range, this.#context);
      }
    });
    return new Map(await Promise.all(entries));
  }

  async #source(stage: Stage, name: string): Promise<Edge | undefined> {
    if (name === 'scratch') return undefined;
    if (name.includes('$'))
      throw invalidArgument(
        `variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround`,
      );
    const context = await this.#named.state(name, this.#platform);
    if (context) return context.edge;
    const { stages } = this.#dockerfile;
    const own = stages.indexOf(stage);
    const byName = stages.findIndex((each) => each.from.stageName === name.toLowerCase());
    const at = byName >= 0 ? byName : /^\d+$/.test(name) ? Number(name) : -1;
    const found = stages[at];
    if (found && at !== own) return (await this.#stage(found)).state;
    if (at === own && found)
      throw invalidArgument(`cannot copy from stage ${JSON.stringify(name)}: it is the stage itself`);
    if (/^\d+$/.test(name)) throw invalidArgument(`invalid stage index ${name}: there are ${stages.length} stages`);
    const near = suggest(
      name,
      stages.flatMap((each) => each.from.stageName ?? []),
    );
    try {
      return (await this.#image(name, this.#platform)).edge;
    } catch (error) {
      if (near !== undefined && near !== name && !/[/:.]/.test(name))
        throw notFound(`there is no stage ${JSON.stringify(name)}, and no image either`, {
          hint: `did you mean ${near}?`,
          cause: error,
        });
      throw error;
    }
  }

  /** A stage that is made from itself would wait for itself for ever. */
  async #refuseCycles(target: Stage): Promise<void> {
    const { stages } = this.#dockerfile;
    const visiting = new Set<Stage>();
    const done = new Set<Stage>();
    const visit = (stage: Stage, path: readonly string[]): void => {
      const name = stage.from.stageName ?? `${stages.indexOf(stage)}`;
      if (visiting.has(stage))
        throw locateError(
          invalidArgument(`circular dependency detected on stage: ${[...path, name].join(' → ')}`),
          stage.from.range,
          this.#context,
        );
      if (done.has(stage)) return;
      visiting.add(stage);
      const index = stages.indexOf(stage);
      const base = stages.slice(0, index).findLast((each) => each.from.stageName === stage.from.image.toLowerCase());
      if (base) visit(base, [...path, name]);
      for (const from of stage.instructions.flatMap(fromNames)) {
        const next = stages.find((each, i) => each.from.stageName === from.toLowerCase() || `${i}` === from);
        if (next) visit(next, [...path, name]);
      }
      visiting.delete(stage);
      done.add(stage);
    };
    visit(target, []);
  }
}

/** The names that an instruction takes files from. */
function fromNames(instruction: Instruction): string[] {
  if (instruction.name === 'copy') return instruction.from === undefined ? [] : [instruction.from];
  if (instruction.name !== 'run') return [];
  return instruction.mounts.flatMap((text) => {
    if (/(?:^|,)from=[^,]*\$/.test(text)) return [];
    const from = /(?:^|,)from=([^,]+)/.exec(text)?.[1];
    return from === undefined ? [] : [from];
  });
}

/** By name or number; without one the last stage. */
export function findTarget(stages: readonly Stage[], target: string | undefined): Stage {
  const last = stages.at(-1);
  if (!last) throw invalidArgument('the Dockerfile has no stage');
  if (target === undefined) return last;
  const found =
    stages.findLast((stage) => stage.from.stageName === target.toLowerCase()) ??
    (/^\d+$/.test(target) ? stages[Number(target)] : undefined);
  if (found) return found;
  const near = suggest(
    target,
    stages.flatMap((stage) => stage.from.stageName ?? []),
  );
  throw notFound(`target stage ${JSON.stringify(target)} could not be found`, {
    hint: near === undefined ? 'see the names after AS in the Dockerfile' : `did you mean ${near}?`,
  });
}
