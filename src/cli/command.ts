import type { Flag, Parsed } from './flags.ts';
import type { Locations } from './locations.ts';

export interface CommandContext {
  readonly locations: Locations;
  /** How the command was called, such as `image ls`, for messages. */
  readonly name: string;
}

/** Answers the exit code. */
export type CommandRun = (parsed: Parsed, context: CommandContext) => Promise<number>;

/** A command as data; its code is loaded when it is run. */
export interface Command {
  /** Every way to call it, the first being its own: `image build`, `build`, … */
  readonly names: readonly string[];
  readonly usage: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** How many arguments it takes: at least, and at most when there is a limit. */
  readonly arity: readonly [least: number, most?: number];
  /** Words after the first argument belong to the container. */
  readonly stopAtFirst?: boolean;
  /** Exit code of failures that are not the command's own; 1 when absent. */
  readonly failureExit?: number;
  readonly load: () => Promise<CommandRun>;
}
