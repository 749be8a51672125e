import type { ArgInstruction, Instruction } from '../instruction.ts';
import { type Environment, type ExpandedWord, expandWord, type WordOptions } from '../shell-word.ts';
import { LayeredMap } from './layered-map.ts';

export type Escape = '\\' | '`';

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Enough of a value to judge it by; values that double at each line stay small. Characters. */
const valueLimit = 4096;

/** The variables of one stage as its instructions go by. */
export class Scope {
  readonly variables: LayeredMap;
  /** Declared by ARG, with or without a value. */
  readonly declared: LayeredMap;
  /** False when the base image was not resolved, and what it brings is anybody's guess. */
  readonly complete: boolean;
  readonly #escape: Escape;

  private constructor(variables: LayeredMap, declared: LayeredMap, complete: boolean, escapeChar: Escape) {
    this.variables = variables;
    this.declared = declared;
    this.complete = complete;
    this.#escape = escapeChar;
  }

  /** Of a stage on an image, or on nothing. */
  static ofImage(environment: ReadonlyMap<string, string> | undefined, escapeChar: Escape): Scope {
    const variables = new LayeredMap();
    variables.set('PATH', defaultPath);
    for (const [key, value] of environment ?? []) variables.set(key, value);
    return new Scope(variables, new LayeredMap(), environment !== undefined, escapeChar);
  }

  /** Of a stage on this one, which is complete by then. */
  child(): Scope {
    return new Scope(new LayeredMap(this.variables), new LayeredMap(this.declared), this.complete, this.#escape);
  }

  /** Undefined when the word cannot be expanded, which the build itself will say. */
  expand(word: string, options: WordOptions = {}): ExpandedWord | undefined {
    return tryExpand(word, this.variables, { escape: this.#escape, ...options });
  }

  /** Takes in what the instruction sets. */
  enter(instruction: Instruction, globals: GlobalScope): void {
    if (instruction.name === 'arg') for (const arg of instruction.args) this.enterArg(arg, globals);
    if (instruction.name !== 'env') return;
    // All values see the variables as they were before.
    const set = instruction.variables.map(({ key, value }) => [this.#filled(key), this.#filled(value)] as const);
    for (const [key, value] of set) this.variables.set(key, value.slice(0, valueLimit));
  }

  enterArg({ key, value }: ArgInstruction['args'][number], globals: GlobalScope): void {
    const fallback = value === undefined ? globals.variables.get(key) : this.#filled(value);
    const chosen = globals.buildArgs.get(key) ?? fallback;
    if (chosen !== undefined) this.variables.set(key, chosen.slice(0, valueLimit));
    this.declared.set(key, '');
  }

  #filled(word: string): string {
    return this.expand(word)?.result ?? word;
  }
}

/** The args before the first FROM and those that are there by themselves; FROM sees these only. */
export interface GlobalScope {
  readonly variables: ReadonlyMap<string, string>;
  readonly declared: ReadonlySet<string>;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly escape: Escape;
}

export function globalScope(
  args: readonly ArgInstruction[],
  platformArgs: ReadonlyMap<string, string>,
  buildArgs: ReadonlyMap<string, string>,
  escapeChar: Escape,
): GlobalScope {
  const variables = new Map<string, string>();
  for (const [key, value] of platformArgs) variables.set(key, buildArgs.get(key) ?? value);
  const declared = new Set(platformArgs.keys());
  for (const { key, value } of args.flatMap((instruction) => instruction.args)) {
    const fallback = value === undefined ? undefined : tryExpand(value, variables, { escape: escapeChar })?.result;
    const chosen = buildArgs.get(key) ?? fallback;
    if (chosen !== undefined) variables.set(key, chosen.slice(0, valueLimit));
    declared.add(key);
  }
  return { variables, declared, buildArgs, escape: escapeChar };
}

export function tryExpand(word: string, variables: Environment, options: WordOptions): ExpandedWord | undefined {
  try {
    return expandWord(word, variables, options);
  } catch {
    return undefined;
  }
}
