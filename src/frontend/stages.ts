import { invalidArgument, notFound } from '../base/errors.ts';
import { suggest } from '../dockerfile/diagnostic.ts';
import type { Dockerfile, Instruction, SourceRange, Stage } from '../dockerfile/instruction.ts';
import { mountSource } from '../dockerfile/run-mount.ts';
import { expandWord } from '../dockerfile/shell-word.ts';
import { type Platform, parsePlatform } from '../oci/platform.ts';

/** A stage with the variables of its FROM filled in, and the earlier stage that it goes on from. */
export interface PlannedStage {
  readonly stage: Stage;
  /** Its place in the file, from 0. */
  readonly index: number;
  readonly baseName: string;
  /** From `FROM --platform`. */
  readonly platform: Platform | undefined;
  readonly base: PlannedStage | undefined;
  /** A named context stands in its place: nothing of the stage is done. */
  readonly isReplaced: boolean;
  /** Variables that FROM uses. */
  readonly usedArgs: ReadonlySet<string>;
}

export interface PlanOptions {
  readonly globals: ReadonlyMap<string, string>;
  readonly isReplaced: (stageName: string, platform: Platform | undefined) => boolean;
  /** Wraps what goes wrong with its place. */
  readonly locate: (error: unknown, range: SourceRange) => unknown;
}

export function planStages(
  dockerfile: Dockerfile,
  { globals, isReplaced, locate }: PlanOptions,
): { readonly stages: readonly PlannedStage[]; readonly byName: ReadonlyMap<string, PlannedStage> } {
  const planned: PlannedStage[] = [];
  const byName = new Map<string, PlannedStage>();
  for (const [index, stage] of dockerfile.stages.entries()) {
    const { from } = stage;
    try {
      const { baseName, platform, usedArgs } = readFrom(stage, globals, dockerfile.escape);
      const replaced = from.stageName !== undefined && isReplaced(from.stageName, platform);
      const base = replaced ? undefined : byName.get(baseName.toLowerCase());
      const entry = { stage, index, baseName, platform, base, isReplaced: replaced, usedArgs };
      planned.push(entry);
      if (from.stageName !== undefined) byName.set(from.stageName, entry);
    } catch (error) {
      throw locate(error, from.range);
    }
  }
  return { stages: planned, byName };
}

function readFrom({ from }: Stage, globals: ReadonlyMap<string, string>, escapeChar: '\\' | '`') {
  const image = expandWord(from.image, globals, { escape: escapeChar });
  if (image.result === '')
    throw invalidArgument(`base name (${from.image}) should not be blank`, {
      hint: 'give the ARG a default, or set it with --build-arg',
    });
  if (from.platform === undefined) return { baseName: image.result, platform: undefined, usedArgs: image.matched };
  const platform = expandWord(from.platform, globals, { escape: escapeChar });
  const near = [...platform.unmatched].flatMap((key) => suggest(key, [...globals.keys()]) ?? [])[0];
  const usedArgs = new Set([...image.matched, ...platform.matched]);
  return { baseName: image.result, platform: readPlatform(from.platform, platform.result, near), usedArgs };
}

/** Throws with the name that an unknown variable is nearly, where there is one. */
function readPlatform(written: string, text: string, near: string | undefined): Platform {
  const hint = near === undefined ? undefined : `did you mean ${near}?`;
  if (text === '') throw invalidArgument(`empty platform value from expression ${written}`, { hint });
  if (!text.split('/').includes('')) return parsePlatform(text);
  const rule = 'platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument';
  throw invalidArgument(`failed to parse platform ${written}: "" is an invalid component of "${text}": ${rule}`, {
    hint,
  });
}

/** By name or number; without one the last stage. */
export function findTarget<S extends { readonly stage: Stage }>(stages: readonly S[], target: string | undefined): S {
  const last = stages.at(-1);
  if (!last) throw invalidArgument('dockerfile contains no stages to build');
  if (target === undefined) return last;
  const found =
    stages.findLast(({ stage }) => stage.from.stageName === target.toLowerCase()) ??
    (/^\d{1,9}$/.test(target) ? stages[Number(target)] : undefined);
  if (found) return found;
  const names = stages.flatMap(({ stage }) => stage.from.stageName ?? []);
  const near = suggest(target, names);
  throw notFound(`target stage ${JSON.stringify(target)} could not be found`, {
    hint: near === undefined ? 'the names after AS in the Dockerfile are its targets' : `did you mean ${near}?`,
  });
}

/** The names that an instruction takes files from. */
export function sourceNames(instruction: Instruction): string[] {
  if (instruction.name === 'copy') return instruction.from === undefined ? [] : [instruction.from];
  if (instruction.name !== 'run') return [];
  return instruction.mounts.flatMap((text) => mountSource(text) || []);
}

/** Docker calls stages without a name by their number, when there is more than one of them or an image that is copied from. */
export function stageNamesOf(stages: readonly PlannedStage[]): ReadonlyMap<PlannedStage, string> {
  const named = stages.map((each) => [each, each.stage.from.stageName ?? `stage-${each.index}`] as const);
  const [only] = stages;
  if (stages.length > 1 || !only || takesFromImages(only.stage)) return new Map(named);
  return new Map([[only, '']]);
}

/** A mount without a `from` counts as one from scratch here. */
function takesFromImages({ from, instructions }: Stage): boolean {
  return instructions.some((instruction) => {
    if (instruction.name === 'run' && instruction.mounts.length > sourceNames(instruction).length) return true;
    return sourceNames(instruction).some((name) => name.toLowerCase() !== from.stageName && name !== '0');
  });
}
