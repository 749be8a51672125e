import { posix } from 'node:path';
import type { SourceRange } from '../dockerfile/instruction.ts';
import type { Edge } from '../graph/vertex.ts';
import type { Platform } from '../oci/platform.ts';
import type { BuildOptions } from './build-options.ts';
import { dispatch, isStep } from './dispatch/dispatch.ts';
import { ImageState } from './image-state.ts';
import type { GlobalScope } from './scopes.ts';
import type { StageBase, StepText } from './stage-bases.ts';
import { isStage, type LoadedStage } from './stage-loader.ts';
import { StageOutline } from './stage-outline.ts';
import type { StageState } from './stage-state.ts';
import { setVariable } from './stage-state.ts';
import type { PlannedStage } from './stages.ts';
import { StepNames } from './step-names.ts';

/** By what they are paths of: a base, or `context`. Absent means that all of it is wanted. */
export type WantedPaths = ReadonlyMap<StageBase | 'context', readonly string[]>;

export interface StagePassOptions {
  readonly loaded: ReadonlyMap<PlannedStage, LoadedStage>;
  readonly names: ReadonlyMap<PlannedStage, string>;
  readonly options: BuildOptions;
  readonly globals: GlobalScope;
  readonly epoch: number | undefined;
  readonly escape: '\\' | '`';
  readonly context: (paths: readonly string[]) => Edge | undefined;
  readonly locate: (error: unknown, range: SourceRange) => unknown;
}

/** Converts loaded stages in the order of the file, once, and notes which paths they use. */
export class StagePass {
  readonly #parts: StagePassOptions;
  readonly #wanted: WantedPaths;
  readonly #used = new Map<StageBase | 'context', Set<string>>();
  readonly #states = new Map<PlannedStage, StageState>();

  constructor(parts: StagePassOptions, wanted: WantedPaths) {
    this.#parts = parts;
    this.#wanted = wanted;
  }

  run(target: PlannedStage): StageState {
    const stages = [...this.#parts.loaded.values()].toSorted((a, b) => a.planned.index - b.planned.index);
    for (const stage of stages) this.#convert(stage);
    const state = this.#state(target);
    state.usedPaths.add('/');
    return state;
  }

  get states(): ReadonlyMap<PlannedStage, StageState> {
    return this.#states;
  }

  /** The paths that were used, for a pass that asks for no more than them. */
  usedPaths(): WantedPaths {
    return new Map(Array.from(this.#used, ([base, paths]) => [base, selectionOf(paths)]));
  }

  #state(planned: PlannedStage): StageState {
    const state = this.#states.get(planned);
    if (!state) throw new Error(`stage ${planned.index} is used before it is converted`);
    return state;
  }

  #convert(stage: LoadedStage): void {
    const { planned, triggers } = stage;
    const state = this.#begin(stage);
    this.#states.set(planned, state);
    if (planned.isReplaced) return;
    const context = {
      globals: this.#parts.globals.values,
      sources: (from: string | undefined, paths: readonly string[]) => this.#source(stage, from, paths),
    };
    for (const [index, instruction] of [...triggers, ...planned.stage.instructions].entries()) {
      state.names.isTriggered = index < triggers.length;
      try {
        dispatch(state, instruction, context);
      } catch (error) {
        throw this.#parts.locate(error, instruction.range);
      }
    }
  }

  #begin({ planned, base, triggers }: LoadedStage): StageState {
    const { options, epoch, globals } = this.#parts;
    const parent = planned.base && this.#state(planned.base);
    const platform = parent?.platform ?? base?.platform ?? options.buildPlatform;
    const image = parent ? parent.image.fork(platform, epoch) : new ImageState(base?.config, platform, epoch);
    const names = this.#stepNames(planned, platform, triggers.length);
    const outline = new StageOutline(parent?.outline.args ?? globals.declared, planned.usedArgs);
    const state: StageState = {
      planned,
      platform,
      ignoreCache: ignoresCache(planned, options),
      image,
      options,
      epoch,
      escape: this.#parts.escape,
      names,
      environment: new Map(parent?.environment),
      declaredArgs: new Map(parent?.declaredArgs),
      outline,
      usedPaths: parent?.usedPaths ?? (base ? this.#pathsOf(base) : new Set()),
      state: parent
        ? parent.state
        : base &&
          this.#open(base, {
            nameOf: (text) => names.next(text),
            command: planned.stage.from.original,
            location: planned.stage.from.range,
          }),
      cmdSet: false,
    };
    for (const [key, value] of image.environment) setVariable(state, key, value);
    return state;
  }

  #stepNames(planned: PlannedStage, platform: Platform, triggers: number): StepNames {
    const steps = planned.stage.instructions.filter(isStep).length + triggers;
    const { options, names } = this.#parts;
    return new StepNames({
      platform: options.multiPlatform ? platform : undefined,
      stageName: names.get(planned) ?? '',
      total: steps + (planned.base || planned.baseName === 'scratch' ? 0 : 1),
    });
  }

  #source(stage: LoadedStage, from: string | undefined, paths: readonly string[]): Edge | undefined {
    if (from === undefined) {
      const used = this.#pathsOf('context');
      for (const path of paths) used.add(path);
      return this.#parts.context(this.#wanted.get('context') ?? []);
    }
    const source = stage.sources.get(from);
    if (!source) throw new Error(`nothing was loaded for ${JSON.stringify(from)}`);
    const used = isStage(source) ? this.#state(source).usedPaths : this.#pathsOf(source);
    for (const path of paths) used.add(path);
    return isStage(source) ? this.#state(source).state : this.#open(source, { nameOf: (text) => text, command: '' });
  }

  #open(base: StageBase, shown: StepText): Edge | undefined {
    return base.open(this.#wanted.get(base) ?? [], shown);
  }

  #pathsOf(base: StageBase | 'context'): Set<string> {
    const paths = this.#used.get(base) ?? new Set<string>();
    this.#used.set(base, paths);
    return paths;
  }
}

/** Sorted, without the slash in front; empty when everything is wanted. */
function selectionOf(paths: ReadonlySet<string>): readonly string[] {
  if (paths.has('/')) return [];
  return [...paths]
    .map((path) => posix.join('.', path))
    .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function ignoresCache({ stage, index }: PlannedStage, { noCache }: BuildOptions): boolean {
  if (typeof noCache === 'boolean') return noCache;
  return noCache.has(stage.from.stageName ?? '') || noCache.has(`${index}`);
}
