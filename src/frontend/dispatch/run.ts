import { posix } from 'node:path';
import type { Heredoc, RunInstruction } from '../../dockerfile/instruction.ts';
import { expandWord } from '../../dockerfile/shell-word.ts';
import { type ExecMount, execOp, fileOp, MountType, NetMode, SecurityMode } from '../../graph/ops.ts';
import { optionsOf, type StageState, upperCased } from '../stage-state.ts';
import { proxyOf } from './proxy.ts';
import { type MountSource, runMounts } from './run-mounts.ts';
import { shellOf } from './shell.ts';

const pipesDirectory = '/dev/pipes/';

/** RUN: a process on the stage's file system; what it leaves is the next state. */
export function dispatchRun(stage: StageState, instruction: RunInstruction, sources: MountSource): void {
  // It may read any file.
  stage.usedPaths.add('/');
  const { args, mounts, shown } = commandOf(stage, instruction);
  const extra = runMounts(stage, instruction, sources);
  const { options } = stage;
  const name = stage.names.next(displayOf(stage, shown, extra.secretEnvironment), stage.environment);
  stage.image.addHistory(`RUN ${[...argsInUse(stage), ...args].join(' ')} # buildkit`, true);
  stage.state = execOp(
    {
      meta: {
        args: [...args],
        env: variablesOf(stage, extra.sshSocket),
        cwd: stage.image.config.WorkingDir || '/',
        user: stage.image.config.User ?? '',
        ...proxyOf(options.buildArgs),
        extraHosts: options.extraHosts.map((host) => ({ ...host })),
        hostname: options.hostname ?? '',
        ulimit: options.ulimits.map((ulimit) => ({ ...ulimit })),
        cgroupParent: options.cgroupParent ?? '',
        removeMountStubsRecursive: true,
      },
      mounts: [{ dest: '/', from: stage.state, isOutput: true, mountType: MountType.BIND }, ...mounts, ...extra.mounts],
      network: networkOf(stage, instruction),
      security: instruction.security === 'insecure' ? SecurityMode.INSECURE : SecurityMode.SANDBOX,
      secretenv: extra.secretEnvironment,
      devices: instruction.devices.map(deviceOf),
    },
    {
      ...optionsOf(stage, instruction, name),
      description: { 'com.docker.dockerfile.v1.command': instruction.original },
      resources: options.resources,
    },
  );
}

/** The first agent's socket is named to processes, unless the user did so. */
function variablesOf({ environment }: StageState, sshSocket: string | undefined): string[] {
  const variables = Array.from(environment, ([key, value]) => `${key}=${value}`);
  if (sshSocket === undefined || environment.has('SSH_AUTH_SOCK')) return variables;
  return [...variables, `SSH_AUTH_SOCK=${sshSocket}`];
}

/** The words to run, the mounts that hold them where they are a file, and what progress shows. */
function commandOf(
  stage: StageState,
  { command, original }: RunInstruction,
): { readonly args: readonly string[]; readonly mounts: readonly ExecMount[]; readonly shown: string } {
  if (command.form === 'exec') return { args: command.args, mounts: [], shown: original };
  const { text, heredocs } = command;
  const [only] = heredocs;
  const isAlone = only !== undefined && /^\d*<<-?\s*\S+$/.test(text);
  if (!isAlone) return { args: [...shellOf(stage), withBodies(text, heredocs)], mounts: [], shown: original };
  const shown = `${original} (${summaryOf(only.content)})`;
  if (stage.platform.os === 'windows' || !only.content.startsWith('#!'))
    return { args: [...shellOf(stage), only.content], mounts: [], shown };
  const script = posix.join(pipesDirectory, only.name);
  return { args: [...shellOf(stage), script], mounts: [scriptMount(only)], shown };
}

/** A heredoc with a `#!` is a program of its own. */
function scriptMount({ content, name }: Heredoc): ExecMount {
  const script = { path: posix.resolve('/', name), mode: 0o755, data: Buffer.from(content), timestamp: -1n };
  const from = fileOp(undefined, [{ action: { case: 'mkfile', value: script } }], {
    name: '[internal] preparing inline document',
  });
  return { dest: pipesDirectory, selector: '/', from, readonly: true, mountType: MountType.BIND };
}

/** The shell reads the bodies itself, as they were written. */
function withBodies(text: string, heredocs: readonly Heredoc[]): string {
  const bodies = heredocs.map(({ content, name }) => `${content}${name}`);
  return [text, ...bodies].join('\n');
}

function summaryOf(content: string): string {
  const [first = '', ...more] = content.trim().split(/\r?\n/);
  return `${first}${more.length > 0 ? '...' : ''}`;
}

/** What is a secret is shown as one. */
function displayOf(stage: StageState, text: string, secrets: readonly { readonly name: string }[]): string {
  const environment = new Map([...stage.environment, ...secrets.map(({ name }) => [name, '****'] as const)]);
  try {
    return upperCased(expandWord(text, environment, { escape: stage.escape, rawQuotes: true, skipUnset: true }).result);
  } catch {
    return upperCased(text);
  }
}

/** `|2 A=1 B=2`: the args in use, as docker's history shows them. */
function argsInUse({ declaredArgs, environment }: StageState): string[] {
  const used = Array.from(declaredArgs, ([key, value]) => `${key}=${environment.get(key) ?? value ?? ''}`);
  return used.length === 0 ? [] : [`|${used.length}`, ...used];
}

function networkOf(stage: StageState, { network }: RunInstruction): NetMode {
  const wanted = network === undefined || network === 'default' ? stage.options.network : network;
  return wanted === 'host' ? NetMode.HOST : wanted === 'none' ? NetMode.NONE : NetMode.UNSET;
}

function deviceOf(text: string): { name: string; optional: boolean } {
  const [name = '', ...fields] = text.split(',');
  return { name: name.replace(/^name=/, ''), optional: !fields.includes('required') };
}
