import { readJsonForm } from './arguments.ts';
import type { FlagKinds } from './flags.ts';
import type { CommandLine, Heredoc, RunInstruction, ShellInstruction } from './instruction.ts';
import { type InstructionParts, some } from './instruction-parts.ts';
import { ParseFailure } from './parse-failure.ts';
import { checkRunMount } from './run-mount.ts';

export const runFlags: FlagKinds = { mount: 'list', network: 'text', security: 'text', device: 'list' };

/** The command of RUN, CMD or ENTRYPOINT. */
export function readCommandLine(rest: string, heredocs: readonly Heredoc[] = []): CommandLine {
  const args = heredocs.length === 0 ? readJsonForm(rest) : undefined;
  return args ? { form: 'exec', args } : { form: 'shell', text: rest, heredocs };
}

export function parseRun({ base, flags, rest, heredocs }: InstructionParts): RunInstruction {
  if (rest === '' && flags.list('mount').length === 0) throw new ParseFailure('RUN requires at least one argument');
  const network = flags.text('network');
  const security = flags.text('security');
  if (network !== undefined && !['default', 'none', 'host'].includes(network))
    throw new ParseFailure(`invalid network mode ${JSON.stringify(network)}`, 'want default, none or host');
  if (security !== undefined && !['sandbox', 'insecure'].includes(security))
    throw new ParseFailure(`security ${JSON.stringify(security)} is not valid`, 'want sandbox or insecure');
  const mounts = flags.list('mount');
  for (const mount of mounts) checkRunMount(mount);
  return {
    ...base,
    name: 'run',
    command: readCommandLine(rest, heredocs),
    mounts,
    devices: flags.list('device'),
    ...(network === undefined ? {} : { network }),
    ...(security === undefined ? {} : { security }),
  };
}

export function parseShell({ base, rest }: InstructionParts): ShellInstruction {
  const shell = readJsonForm(some(rest, 'SHELL'));
  if (!shell)
    throw new ParseFailure(
      'SHELL requires the arguments to be in JSON form',
      'write SHELL ["executable", "parameters"]',
    );
  if (shell.length === 0) throw new ParseFailure('SHELL requires at least one argument');
  return { ...base, name: 'shell', shell };
}
