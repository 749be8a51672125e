import { invalidArgument, isErrorCode, notFound } from '../base/errors.ts';
import { suggest } from '../dockerfile/diagnostic.ts';
import type { Instruction, SourceRange } from '../dockerfile/instruction.ts';
import { parseTrigger } from '../dockerfile/parse-dockerfile.ts';
import type { StageBase, StageBases } from './stage-bases.ts';
import type { StagePlan } from './stage-plan.ts';
import { type PlannedStage, sourceNames } from './stages.ts';

/** A stage with all that it begins with and takes files from; converting it needs to ask for nothing more. */
export interface LoadedStage {
  readonly planned: PlannedStage;
  /** Absent where it goes on from another stage. */
  readonly base: StageBase | undefined;
  /** ONBUILD instructions of what it goes on from. */
  readonly triggers: readonly Instruction[];
  readonly sources: ReadonlyMap<string, PlannedStage | StageBase>;
}

export type LoadedStages = ReadonlyMap<PlannedStage, LoadedStage>;

/** Loads the stages that targets need, images side by side. */
export class StageLoader {
  readonly #plan: StagePlan;
  readonly #bases: StageBases;
  readonly #locate: (error: unknown, range: SourceRange) => unknown;

  constructor(plan: StagePlan, bases: StageBases, locate: (error: unknown, range: SourceRange) => unknown) {
    this.#plan = plan;
    this.#bases = bases;
    this.#locate = locate;
  }

  /** Triggers are known once an image is, and may name further stages. */
  async load(targets: readonly PlannedStage[]): Promise<LoadedStages> {
    const loaded = new Map<PlannedStage, LoadedStage>();
    for (let pending = [...this.#plan.reachable(targets)]; pending.length > 0; ) {
      const stages = await Promise.all(pending.map((planned) => this.#stage(planned)));
      for (const stage of stages) loaded.set(stage.planned, stage);
      const named = stages.flatMap(({ sources }) => [...sources.values()].filter(isStage));
      pending = [...this.#plan.reachable(named)].filter((planned) => !loaded.has(planned));
    }
    return loaded;
  }

  async #stage(planned: PlannedStage): Promise<LoadedStage> {
    const { from, instructions } = planned.stage;
    if (planned.isReplaced) {
      const base = await this.#bases.replacement(from.stageName ?? '', planned.platform);
      return { planned, base, triggers: [], sources: new Map() };
    }
    const [base, own] = await Promise.all([this.#base(planned), this.#sources(planned, instructions)]);
    const triggers = this.#triggers(planned, base);
    const triggered = await this.#sources(planned, triggers);
    return { planned, base, triggers, sources: new Map([...own, ...triggered]) };
  }

  async #base(planned: PlannedStage): Promise<StageBase | undefined> {
    if (planned.base) return undefined;
    try {
      return await this.#bases.find(planned.baseName, planned.platform);
    } catch (error) {
      throw this.#locate(error, planned.stage.from.range);
    }
  }

  #triggers({ base: parent, stage: { from } }: PlannedStage, base: StageBase | undefined): readonly Instruction[] {
    const texts = parent
      ? parent.stage.instructions.flatMap((each) => (each.name === 'onbuild' ? [each.trigger] : []))
      : (base?.config?.config?.OnBuild ?? []);
    try {
      return texts.map((text) => ({ ...parseTrigger(text), range: from.range }));
    } catch (error) {
      throw this.#locate(error, from.range);
    }
  }

  /** What is behind every `--from` and mount `from` of the instructions. */
  async #sources(
    planned: PlannedStage,
    instructions: readonly Instruction[],
  ): Promise<Map<string, PlannedStage | StageBase>> {
    const users = new Map<string, Instruction>();
    for (const instruction of instructions)
      for (const name of sourceNames(instruction)) if (!users.has(name)) users.set(name, instruction);
    const found = Array.from(users, async ([name, { range }]) => {
      try {
        return [name, this.#earlierStage(planned, name) ?? (await this.#image(name))] as const;
      } catch (error) {
        throw this.#locate(error, range);
      }
    });
    return new Map(await Promise.all(found));
  }

  #earlierStage(planned: PlannedStage, name: string): PlannedStage | undefined {
    const found = this.#plan.find(name);
    if (found && found.index >= planned.index)
      throw invalidArgument(
        `cannot copy from stage ${JSON.stringify(name)}, it needs to be defined before current stage ${JSON.stringify(nameOf(planned))}`,
        { hint: 'move its FROM up' },
      );
    return found;
  }

  async #image(name: string): Promise<StageBase> {
    if (name.includes('$'))
      throw invalidArgument(
        'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround',
        { hint: 'write FROM with the variable and AS name, and --from=name here' },
      );
    try {
      return await this.#bases.find(name, undefined);
    } catch (error) {
      const near = suggest(name, this.#plan.stageNames());
      if (near === undefined || near === name || /[/:.@]/.test(name)) throw error;
      throw isErrorCode(error, 'not-found')
        ? notFound(`there is no stage ${JSON.stringify(name)}, and no image either`, {
            hint: `did you mean ${near}?`,
            cause: error,
          })
        : error;
    }
  }
}

export function isStage(source: PlannedStage | StageBase): source is PlannedStage {
  return 'stage' in source;
}

function nameOf({ stage, index }: PlannedStage): string {
  return stage.from.stageName ?? `stage-${index}`;
}
