import type { CommandLine } from '../../dockerfile/instruction.ts';
import type { StageState } from '../stage-state.ts';

const unixShell: readonly string[] = ['/bin/sh', '-c'];
const windowsShell: readonly string[] = ['cmd', '/S', '/C'];

/** What runs commands in shell form. */
export function shellOf({ image, platform }: StageState): readonly string[] {
  const { Shell: shell } = image.config;
  if (shell && shell.length > 0) return shell;
  return platform.os === 'windows' ? windowsShell : unixShell;
}

/** A command as the image config keeps it: shell form goes through the stage's shell. */
export function configCommand(stage: StageState, command: CommandLine): readonly string[] {
  if (command.form === 'exec') return command.args;
  return [...shellOf(stage), command.text];
}

/** `["node" "app.js"]`: a list as Go's %q prints it, which is what docker's history holds. */
export function quotedList(words: readonly string[]): string {
  return `[${words.map((word) => quoted(word)).join(' ')}]`;
}

const shortEscapes: Readonly<Record<string, string>> = { '\\u0007': '\\a', '\\u000b': '\\v' };

function quoted(word: string): string {
  return JSON.stringify(word)
    .replace(/\\u00([01][0-9a-f])/g, (found, hex: string) => shortEscapes[found] ?? `\\x${hex}`)
    .replaceAll('\x7f', '\\x7f');
}
