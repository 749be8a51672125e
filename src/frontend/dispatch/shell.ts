import type { CommandLine } from '../../dockerfile/instruction.ts';
import type { StageState } from '../stage-state.ts';

export const defaultShell: readonly string[] = ['/bin/sh', '-c'];

/** A command as the image config keeps it: shell form goes through the stage's shell. */
export function configCommand(stage: StageState, command: CommandLine): readonly string[] {
  if (command.form === 'exec') return command.args;
  return [...(stage.image.config.Shell ?? defaultShell), command.text];
}

/** `["node" "app.js"]`: a list as Go's %q prints it, which is what docker's history holds. */
export function quotedList(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(' ')}]`;
}
