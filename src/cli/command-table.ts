import type { Command } from './command.ts';
import { boolean, type Flag, text } from './flags.ts';
import { buildCommands } from './table/build-commands.ts';
import { containerCommands } from './table/container-commands.ts';
import { imageCommands } from './table/image-commands.ts';
import { systemCommands } from './table/system-commands.ts';

/** All commands with docker's spellings. */
export const commands: readonly Command[] = [
  ...buildCommands,
  ...containerCommands,
  ...imageCommands,
  ...systemCommands,
];

/** First words that are no command by themselves. */
export const groups: Readonly<Record<string, string>> = {
  builder: 'Manage builds',
  buildx: 'Build with extended options',
  container: 'Manage containers',
  image: 'Manage images',
  system: 'Manage Slipway',
  volume: 'Manage volumes',
};

/** Before the command. */
export const globalFlags: readonly Flag[] = [
  text('config', "Directory of docker's config.json"),
  text('context', 'Taken and not used', 'c'),
  boolean('debug', 'Say more', 'D'),
  text('host', 'Where the daemon listens', 'H'),
  text('log-level', 'Log from this level on ("debug", "info", "warn", "error")', 'l'),
  text('root', 'Store of the daemon (SLIPWAY_ROOT)'),
  boolean('version', 'Print version information and quit', 'v'),
  boolean('help', 'Print usage', 'h'),
];
