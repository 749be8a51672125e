import { posix } from 'node:path';
import type { Instruction, Stage } from '../dockerfile/instruction.ts';
import { expandWord, expandWords } from '../dockerfile/shell-word.ts';
import type { Edge, VertexOptions } from '../graph/vertex.ts';
import type { Platform } from '../oci/platform.ts';
import type { BuildOptions } from './build-options.ts';
import type { ImageState } from './image-state.ts';

/** What a dispatcher works on: one stage, converted instruction by instruction. */
export interface StageState {
  readonly stage: Stage;
  /** Its place in the file, from 0. */
  readonly index: number;
  readonly platform: Platform;
  readonly ignoreCache: boolean;
  readonly image: ImageState;
  readonly options: BuildOptions;
  readonly escape: '\\' | '`';
  readonly naming: StageNaming;
  /** Build args in scope: declared in this stage, in order. */
  readonly args: Map<string, string>;
  /** Undefined is scratch. */
  state: Edge | undefined;
  cmdSet: boolean;
  shellSet: boolean;
}

export interface StageNaming {
  /** `linux/amd64 ` for builds of several platforms. */
  readonly platformPrefix: string;
  /** Empty when the file has one stage. */
  readonly stageName: string;
  readonly total: number;
  count: number;
}

/** Variables that an instruction may use: the image's environment before the stage's args. */
export function scopeOf(stage: StageState): ReadonlyMap<string, string> {
  return new Map([...stage.args, ...stage.image.environment()]);
}

export function expand(stage: StageState, text: string): string {
  return expandWord(text, scopeOf(stage), { escape: stage.escape }).result;
}

export function expandList(stage: StageState, text: string): readonly string[] {
  return expandWords(text, scopeOf(stage), { escape: stage.escape });
}

/** `[build 2/5] RUN make`: numbers each step that touches files. */
export function stepName(naming: StageNaming, text: string): string {
  naming.count++;
  const width = `${naming.total}`.length;
  const stage = naming.stageName === '' ? '' : `${naming.stageName} `;
  return `[${naming.platformPrefix}${stage}${`${naming.count}`.padStart(width)}/${naming.total}] ${text}`;
}

/** The instruction as progress shows it: its name in capitals, variables filled in where they are known. */
export function displayOf(stage: StageState, instruction: Instruction): string {
  const [first = ''] = instruction.original.split(/\s/, 1);
  const text = `${first.toUpperCase()}${instruction.original.slice(first.length)}`.replace(/\s*\n\s*/g, ' ');
  try {
    return expandWord(text, scopeOf(stage), {
      escape: stage.escape,
      skipUnset: true,
      rawQuotes: true,
      rawEscapes: true,
    }).result;
  } catch {
    return text;
  }
}

export function optionsOf(
  stage: StageState,
  instruction: Instruction,
  name: string,
): VertexOptions & { readonly platform: Platform } {
  const { startLine, endLine } = instruction.range;
  return { name, ignoreCache: stage.ignoreCache, platform: stage.platform, location: { startLine, endLine } };
}

/** A path as the stage's working directory makes it absolute; a slash at its end stays. */
export function absolutePath(stage: StageState, path: string): string {
  const joined = posix.resolve('/', stage.image.config.WorkingDir || '/', path);
  const isDirectory = path.endsWith('/') || path === '.' || path.endsWith('/.') || path === '..';
  return isDirectory && joined !== '/' ? `${joined}/` : joined;
}
