import type { Command } from './command.ts';
import type { Flag } from './flags.ts';
import type { FoundCommand } from './help.ts';
import { slipwayVersion } from './version.ts';

/** Runs the command line of this process; the answer is its exit code. */
export function runCommandLine(): Promise<number> {
  // Whoever reads has seen enough, as `head` does.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  return main(process.argv.slice(2));
}

async function main(words: readonly string[]): Promise<number> {
  const [{ globalFlags }, { FlagReader, parseFlags, UsageError }, { findLocations }, help] = await Promise.all([
    import('./command-table.ts'),
    import('./flags.ts'),
    import('./locations.ts'),
    import('./help.ts'),
  ]);
  const asBuildkitd = process.env.SLIPWAY_AS === 'buildkitd';
  let found: FoundCommand | undefined;
  try {
    const global = asBuildkitd
      ? { flags: new FlagReader(new Map()), args: ['daemon', ...words] }
      : parseFlags(words, globalFlags, { stopAtFirst: true });
    if (global.flags.boolean('version')) return say(`Slipway version ${slipwayVersion}`);
    const [first, ...rest] = global.args;
    if (first === undefined || first === 'help' || global.flags.boolean('help'))
      return say(help.helpFor(rest.join(' ')));
    if (first === 'completion') return say((await import('./completion.ts')).completionScript(rest[0]));
    found = help.findCommand(global.args);
    if (!found) return say(help.unknownCommand(global.args), help.isGroup(global.args) ? 0 : 1);
    const { command, name } = found;
    const parsed = parseFlags(found.rest, flagsOf(command, globalFlags), { stopAtFirst: command.stopAtFirst === true });
    if (parsed.flags.boolean('help')) return say(help.commandHelp(command, name));
    (await import('./check-arity.ts')).checkArity(command, name, parsed.args);
    const locations = findLocations({
      root: parsed.flags.text('root') ?? global.flags.text('root'),
      host: global.flags.text('host'),
    });
    const run = await command.load();
    const config = global.flags.text('config');
    // Credential helpers read it too.
    if (config !== undefined) process.env.DOCKER_CONFIG = config;
    return await run(parsed, { locations, name: asBuildkitd ? 'buildkitd' : name });
  } catch (error) {
    if (error instanceof UsageError) {
      const prefix = error.exit === 1 ? 'slipway: ' : '';
      const usage = found ? `${help.usageLine(found.command, found.name)}\n\n` : '';
      const where = `slipway ${found ? `${found.name} ` : ''}--help`;
      process.stderr.write(`${prefix}${error.message}\n\n${usage}Run '${where}' for more information\n`);
      return error.exit;
    }
    return (await import('./report-error.ts')).reportError(error, found?.command.failureExit);
  }
}

/** Every command takes `--help`, and `-h` where that is no flag of its own; the daemon takes its root after its name too. */
function flagsOf({ names, flags }: Command, globalFlags: readonly Flag[]): readonly Flag[] {
  const takesH = flags.some(({ short }) => short === 'h');
  const help: Flag = { name: 'help', kind: 'boolean', summary: 'Print usage', ...(takesH ? {} : { short: 'h' }) };
  return [...flags, help, ...(names.includes('daemon') ? globalFlags.filter(({ name }) => name === 'root') : [])];
}

function say(text: string, code = 0): number {
  (code === 0 ? process.stdout : process.stderr).write(`${text}\n`);
  return code;
}
