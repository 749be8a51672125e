import { invalidArgument } from '../base/errors.ts';
import type { Dockerfile, Instruction } from '../dockerfile/instruction.ts';
import { findTarget, type PlannedStage, type PlanOptions, planStages, sourceNames, stageNamesOf } from './stages.ts';

/** The stages of a Dockerfile and how they hang together. */
export class StagePlan {
  readonly stages: readonly PlannedStage[];
  /** What progress calls each stage; empty for a lone one. */
  readonly names: ReadonlyMap<PlannedStage, string>;
  readonly #byName: ReadonlyMap<string, PlannedStage>;
  readonly #locate: PlanOptions['locate'];

  constructor(dockerfile: Dockerfile, options: PlanOptions) {
    const { stages, byName } = planStages(dockerfile, options);
    this.stages = stages;
    this.#byName = byName;
    this.#locate = options.locate;
    this.names = stageNamesOf(stages);
    this.#refuseCycles();
  }

  target(name: string | undefined): PlannedStage {
    return findTarget(this.stages, name);
  }

  /** The stage that a `--from` means, by name or number; undefined when it means an image. */
  find(name: string): PlannedStage | undefined {
    const named = this.#byName.get(name.toLowerCase());
    if (named || !/^\d{1,9}$/.test(name)) return named;
    const numbered = this.stages[Number(name)];
    if (!numbered)
      throw invalidArgument(`invalid stage index ${name}: there are ${this.stages.length} stages, counted from 0`);
    return numbered;
  }

  stageNames(): string[] {
    return [...this.#byName.keys()];
  }

  /** These stages and all that they are made from. Unreachable stages are never converted. */
  reachable(from: readonly PlannedStage[]): ReadonlySet<PlannedStage> {
    const found = new Set<PlannedStage>();
    const pending = [...from];
    for (let next = pending.pop(); next; next = pending.pop()) {
      if (found.has(next)) continue;
      found.add(next);
      pending.push(...this.#needs(next));
    }
    return found;
  }

  /** Without recursion: a hostile file may chain as many stages as it has lines. */
  #refuseCycles(): void {
    const open = new Set<PlannedStage>();
    const done = new Set<PlannedStage>();
    for (const first of this.stages) {
      const path = [this.#step(first)];
      open.add(first);
      for (let top = path.at(-1); top; top = path.at(-1)) {
        const next = top.needs.pop();
        if (!next) {
          path.pop();
          open.delete(top.stage);
          done.add(top.stage);
        } else if (open.has(next)) throw this.#cycleError(path, next);
        else if (!done.has(next)) {
          open.add(next);
          path.push(this.#step(next));
        }
      }
    }
  }

  #step(stage: PlannedStage): { readonly stage: PlannedStage; readonly needs: PlannedStage[] } {
    return { stage, needs: this.#needs(stage) };
  }

  #needs(stage: PlannedStage): PlannedStage[] {
    const sources = stage.isReplaced ? [] : stage.stage.instructions.flatMap((each) => this.#sourcesOf(each));
    return stage.base ? [stage.base, ...sources] : sources;
  }

  #sourcesOf(instruction: Instruction): PlannedStage[] {
    try {
      return sourceNames(instruction).flatMap((name) => this.find(name) ?? []);
    } catch (error) {
      throw this.#locate(error, instruction.range);
    }
  }

  #cycleError(path: readonly { readonly stage: PlannedStage }[], again: PlannedStage): unknown {
    const from = path.findIndex(({ stage }) => stage === again);
    const names = [...path.slice(from).map(({ stage }) => stage), again].map(
      ({ stage, index }) => stage.from.stageName ?? `${index}`,
    );
    const shown = names.length > 12 ? [...names.slice(0, 6), '…', ...names.slice(-5)] : names;
    return this.#locate(
      invalidArgument(`circular dependency detected on stage: ${shown.join(' → ')}`),
      again.stage.from.range,
    );
  }
}
