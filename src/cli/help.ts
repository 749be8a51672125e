import { suggest } from '../dockerfile/diagnostic.ts';
import type { Command } from './command.ts';
import { commands, globalFlags, groups } from './command-table.ts';
import type { Flag } from './flags.ts';

/** The command that the first words name, the longest way first. */
export function findCommand(
  words: readonly string[],
): { readonly command: Command; readonly rest: readonly string[] } | undefined {
  for (const count of [2, 1]) {
    const name = words.slice(0, count).join(' ');
    const command = words.length >= count ? commands.find((each) => each.names.includes(name)) : undefined;
    if (command) return { command, rest: words.slice(count) };
  }
  return undefined;
}

export function isGroup([first, second]: readonly string[]): boolean {
  return first !== undefined && Object.hasOwn(groups, first) && (second === undefined || second === '--help');
}

export function helpFor(name: string): string {
  const command = commands.find((each) => each.names.includes(name));
  if (command) return commandHelp(command);
  return name !== '' && isGroup([name]) ? groupHelp(name) : topHelp();
}

export function unknownCommand(words: readonly string[]): string {
  const [first = '', second = ''] = words;
  if (isGroup(words)) return groupHelp(first);
  const shown = Object.hasOwn(groups, first) ? `${first} ${second}` : first;
  const near = suggest(
    shown,
    commands.flatMap((command) => command.names),
  );
  return `slipway: '${shown}' is not a slipway command.${near === undefined ? '' : ` Did you mean 'slipway ${near}'?`}\nSee 'slipway --help'`;
}

function topHelp(): string {
  const top = commands.flatMap((command) => {
    const name = command.names.find((each) => !each.includes(' '));
    return name === undefined ? [] : [[name, command.summary] as const];
  });
  const managed = Object.entries(groups);
  return [
    'Usage:  slipway [OPTIONS] COMMAND',
    '',
    'Builds container images and runs them',
    '',
    'Commands:',
    ...columns(top.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    '',
    'Management Commands:',
    ...columns(managed),
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
    ...columns(members),
    '',
    `Run 'slipway ${group} COMMAND --help' for more information on a command.`,
  ].join('\n');
}

export function commandHelp(command: Command): string {
  const [name, ...others] = command.names;
  return [
    `Usage:  slipway ${name} ${command.usage}`,
    '',
    command.summary,
    ...(others.length > 0 ? ['', 'Aliases:', `  ${command.names.map((each) => `slipway ${each}`).join(', ')}`] : []),
    ...(command.flags.length > 0 ? ['', 'Options:', ...flagLines(command.flags)] : []),
  ].join('\n');
}

function flagLines(flags: readonly Flag[]): string[] {
  return columns(
    flags.map((flag) => {
      const value = flag.kind === 'boolean' ? '' : ` ${flag.value ?? ''}`;
      return [`${flag.short ? `-${flag.short}, ` : '    '}--${flag.name}${value}`, flag.summary] as const;
    }),
  );
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}   ${right}`);
}
