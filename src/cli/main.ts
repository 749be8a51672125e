import { enableCompileCache } from 'node:module';
import { basename } from 'node:path';
import type { Command } from './command.ts';

const version = '0.1.0';

if (process.argv.length === 3 && (process.argv[2] === '--version' || process.argv[2] === '-v')) {
  console.log(`Slipway version ${version}`);
} else {
  enableCompileCache();
  process.exitCode = await main(process.argv.slice(2));
}

async function main(words: readonly string[]): Promise<number> {
  const [{ globalFlags }, { FlagReader, parseFlags, UsageError }, { findLocations }, help] = await Promise.all([
    import('./command-table.ts'),
    import('./flags.ts'),
    import('./locations.ts'),
    import('./help.ts'),
  ]);
  const asBuildkitd = basename(process.env.SLIPWAY_AS ?? process.argv0) === 'buildkitd';
  let command: Command | undefined;
  try {
    const global = asBuildkitd
      ? { flags: new FlagReader(new Map()), args: ['daemon', ...words] }
      : parseFlags(words, globalFlags, { stopAtFirst: true });
    if (global.flags.boolean('version')) return say(`Slipway version ${version}`);
    const [first, ...rest] = global.args;
    if (first === undefined || first === 'help' || first === '--help' || global.flags.boolean('help'))
      return say(help.helpFor(rest.join(' ')));
    if (first === 'completion') return say((await import('./completion.ts')).completionScript(rest[0]));
    const found = help.findCommand(global.args);
    if (!found) return say(help.unknownCommand(global.args), help.isGroup(global.args) ? 0 : 1);
    command = found.command;
    if (wantsHelp(found.rest, command)) return say(help.commandHelp(command));
    const own = command.names.includes('daemon')
      ? [...globalFlags.filter(({ name }) => name === 'root'), ...command.flags]
      : command.flags;
    const parsed = parseFlags(found.rest, own, { stopAtFirst: command.stopAtFirst === true });
    const locations = findLocations({
      root: parsed.flags.text('root') ?? global.flags.text('root'),
      host: global.flags.text('host'),
    });
    const run = await command.load();
    return await run(parsed, { locations, name: command.names[0] ?? '' });
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(
        `slipway: ${error.message}\n\nRun 'slipway ${command?.names[0] ?? ''} --help' for more information\n`,
      );
      return command?.usageExit ?? 1;
    }
    return (await import('./report-error.ts')).reportError(error, command?.usageExit);
  }
}

function wantsHelp(words: readonly string[], command: Command): boolean {
  const end = command.stopAtFirst ? words.findIndex((word) => !word.startsWith('-')) : words.indexOf('--');
  return (end < 0 ? words : words.slice(0, end)).includes('--help');
}

function say(text: string, code = 0): number {
  (code === 0 ? process.stdout : process.stderr).write(`${text}\n`);
  return code;
}
