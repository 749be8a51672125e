import { posix } from 'node:path';
import type { Instruction } from '../dockerfile/instruction.ts';
import { expandWord, expandWords } from '../dockerfile/shell-word.ts';
import type { Edge, VertexOptions } from '../graph/vertex.ts';
import type { Platform } from '../oci/platform.ts';
import type { BuildOptions } from './build-options.ts';
import type { ImageState } from './image-state.ts';
import type { StageOutline } from './stage-outline.ts';
import type { PlannedStage } from './stages.ts';
import type { StepNames } from './step-names.ts';

/** What a dispatcher works on: one stage, converted instruction by instruction. */
export interface StageState {
  readonly planned: PlannedStage;
  readonly platform: Platform;
  readonly ignoreCache: boolean;
  readonly image: ImageState;
  readonly options: BuildOptions;
  /** Seconds since 1970, for what a step makes by itself. */
  readonly epoch: number | undefined;
  readonly escape: '\\' | '`';
  readonly names: StepNames;
  /** What a process sees and what instructions may use: the image's variables and the stage's args, the latest last. */
  readonly environment: Map<string, string>;
  /** Args that the stage and those below it have declared, in order, with the values that they got. */
  readonly declaredArgs: Map<string, string | undefined>;
  readonly outline: StageOutline;
  /** What is used of the files that the stage began with; stages on one base share it. */
  readonly usedPaths: Set<string>;
  /** Undefined is scratch. */
  state: Edge | undefined;
  cmdSet: boolean;
}

/** Sets a variable, which then stands last, as in Go's client. */
export function setVariable({ environment }: Pick<StageState, 'environment'>, key: string, value: string): void {
  environment.delete(key);
  environment.set(key, value);
}

export function expand(stage: StageState, text: string): string {
  return expandWord(text, stage.environment, { escape: stage.escape }).result;
}

export function expandList(stage: StageState, text: string): readonly string[] {
  return expandWords(text, stage.environment, { escape: stage.escape });
}

/** An instruction as progress shows it: its name in capitals, variables filled in. */
export function displayOf(stage: StageState, { original }: Instruction): string {
  try {
    return upperCased(expandWord(original, stage.environment, { escape: stage.escape }).result);
  } catch {
    return upperCased(original);
  }
}

/** `run make` → `RUN make`. */
export function upperCased(text: string): string {
  const [first = ''] = text.split(' ', 1);
  return first.toUpperCase() + text.slice(first.length);
}

export function optionsOf(
  stage: StageState,
  instruction: Instruction,
  name: string,
): VertexOptions & { readonly platform: Platform } {
  const { startLine, endLine } = instruction.range;
  return { name, ignoreCache: stage.ignoreCache, platform: stage.platform, location: { startLine, endLine } };
}

/** A path as the stage's working directory makes it absolute; a slash or `/.` at its end stays. */
export function absolutePath(stage: StageState, path: string): string {
  const written = path === '' || path === '.' ? './' : path;
  const joined = posix.resolve('/', stage.image.config.WorkingDir || '/', written);
  if (joined !== '/' && written.endsWith('/')) return `${joined}/`;
  if (written.endsWith('/.')) return joined === '/' ? '/.' : `${joined}/.`;
  return joined;
}
