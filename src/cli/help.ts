import { suggest } from '../dockerfile/diagnostic.ts';
import type { Command } from './command.ts';
import { commands, globalFlags, groups } from './command-table.ts';
import type { Flag } from './flags.ts';

export interface FoundCommand {
  readonly command: Command;
  /** The name by which it was called. */
  readonly name: string;
  readonly rest: readonly string[];
}

/** The command that the first words name, the longest way first. */
export function findCommand(words: readonly string[]): FoundCommand | undefined {
  for (const count of [3, 2, 1]) {
    if (words.length < count) continue;
    const name = words.slice(0, count).join(' ');
    const command = commands.find((each) => each.names.includes(name));
    if (command) return { command, name, rest: words.slice(count) };
  }
  return undefined;
}

/** The words name a group of commands and nothing in it. */
export function isGroup([first, second]: readonly string[]): boolean {
  return (
    first !== undefined &&
    Object.hasOwn(groups, first) &&
    (second === undefined || second === '--help' || second === '-h')
  );
}

export function helpFor(name: string): string {
  const command = commands.find((each) => each.names.includes(name));
  if (command) return commandHelp(command, name);
  if (isGroup([name])) return groupHelp(name);
  return name === '' ? topHelp() : unknownCommand(name.split(' '));
}

export function unknownCommand(words: readonly string[]): string {
  const [first = '', second = ''] = words;
  if (isGroup(words)) return groupHelp(first);
  const shown = Object.hasOwn(groups, first) ? `${first} ${second}` : first;
  const near = suggest(
    shown,
    commands.flatMap((command) => command.names),
  );
  const hint = near === undefined ? '' : `\n\nDid you mean 'slipway ${near}'?`;
  return `slipway: unknown command: slipway ${shown}${hint}\n\nRun 'slipway --help' for more information`;
}

export function usageLine(command: Command, name: string): string {
  return `Usage:  slipway ${name}${command.usage === '' ? '' : ` ${command.usage}`}`;
}

const common = ['run', 'exec', 'ps', 'build', 'pull', 'push', 'images', 'login', 'logout', 'version', 'info'];

function topHelp(): string {
  const top = new Map(
    commands.flatMap(({ names, summary }) =>
      names.filter((each) => !each.includes(' ')).map((name) => [name, summary] as const),
    ),
  );
  const chosen = (names: readonly string[]) => names.map((name) => [name, top.get(name) ?? ''] as const);
  const others = [...top.keys()].filter((name) => !common.includes(name)).toSorted();
  return [
    'Usage:  slipway [OPTIONS] COMMAND',
    '',
    'Builds container images and runs them',
    '',
    'Common Commands:',
    ...columns(chosen(common.filter((name) => top.has(name)))),
    '',
    'Management Commands:',
    ...columns(Object.entries(groups)),
    '',
    'Commands:',
    ...columns([...chosen(others), ['completion', 'Print the completion script for bash, zsh or fish']]),
    '',
    'Global Options:',
    ...flagLines(globalFlags),
    '',
    "Run 'slipway COMMAND --help' for more information on a command.",
  ].join('\n');
}

function groupHelp(group: string): string {
  const members = commands.flatMap((command) => {
    const name = command.names.find((each) => each.startsWith(`${group} `));
    return name === undefined ? [] : [[name.slice(group.length + 1), command.summary] as const];
  });
  return [
    `Usage:  slipway ${group} COMMAND`,
    '',
    groups[group],
    '',
    'Commands:',
    ...columns(members.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    '',
    `Run 'slipway ${group} COMMAND --help' for more information on a command.`,
  ].join('\n');
}

export function commandHelp(command: Command, name: string): string {
  const aliases = command.names.toSorted((a, b) => b.split(' ').length - a.split(' ').length);
  return [
    usageLine(command, name),
    '',
    command.summary,
    ...(aliases.length > 1 ? ['', 'Aliases:', `  ${aliases.map((each) => `slipway ${each}`).join(', ')}`] : []),
    ...(command.flags.length > 0 ? ['', 'Options:', ...flagLines(command.flags)] : []),
  ].join('\n');
}

function flagLines(flags: readonly Flag[]): string[] {
  return columns(
    flags
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((flag) => {
        const value = flag.kind === 'boolean' ? '' : ` ${flag.value ?? ''}`;
        return [`${flag.short ? `-${flag.short}, ` : '    '}--${flag.name}${value}`, flag.summary] as const;
      }),
  );
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}   ${right}`.trimEnd());
}
