import type { Command } from './command.ts';
import { UsageError } from './flags.ts';

/** Refuses a wrong number of arguments in docker's words. */
export function checkArity({ arity: [least, most] }: Command, name: string, args: readonly string[]): void {
  if (args.length >= least && (most === undefined || args.length <= most)) return;
  throw new UsageError(`'slipway ${name}' ${wanted(least, most)}`);
}

function wanted(least: number, most: number | undefined): string {
  if (most === 0) return 'accepts no arguments';
  if (most === undefined) return `requires at least ${argumentsOf(least)}`;
  if (least === most) return `requires ${argumentsOf(least)}`;
  return least === 0
    ? `requires at most ${argumentsOf(most)}`
    : `requires at least ${least} and at most ${argumentsOf(most)}`;
}

function argumentsOf(count: number): string {
  return `${count} argument${count === 1 ? '' : 's'}`;
}
