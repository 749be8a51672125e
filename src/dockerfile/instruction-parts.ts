import type { FlagValues } from './flags.ts';
import type { Heredoc, InstructionBase } from './instruction.ts';
import { ParseFailure } from './parse-failure.ts';

/** An instruction's line taken apart, for the parser of its kind. */
export interface InstructionParts {
  readonly base: InstructionBase;
  readonly flags: FlagValues;
  /** What follows the flags. */
  readonly rest: string;
  readonly heredocs: readonly Heredoc[];
  readonly escapeChar: string;
}

export function some(rest: string, instruction: string): string {
  if (rest === '') throw new ParseFailure(`${instruction} requires at least one argument`);
  return rest;
}

export function one(rest: string, instruction: string): string {
  if (rest === '') throw new ParseFailure(`${instruction} requires exactly one argument`);
  return rest;
}
