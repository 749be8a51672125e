import { posix } from 'node:path';
import type { Heredoc, RunInstruction } from '../../dockerfile/instruction.ts';
import { type ExecMount, execOp, fileOp, MountType, NetMode, SecurityMode } from '../../graph/ops.ts';
import { displayOf, optionsOf, type StageState, stepName } from '../stage-state.ts';
import { type MountSource, runMounts } from './run-mounts.ts';
import { defaultShell } from './shell.ts';

const pipesDirectory = '/dev/pipes/';

/** RUN: a process on the stage's file system; what it leaves is the next state. */
export function dispatchRun(stage: StageState, instruction: RunInstruction, sources: MountSource): void {
  const { command } = instruction;
  const shell = stage.image.config.Shell ?? defaultShell;
  let args: readonly string[];
  let mounts: ExecMount[] = [];
  let shown = displayOf(stage, instruction);
  if (command.form === 'exec') args = command.args;
  else {
    const [only] = command.heredocs;
    const alone = command.heredocs.length === 1 && only !== undefined && /^\d*<<-?\s*\S+$/.test(command.text);
    if (alone) {
      ({ args, mounts } = heredocCommand(only, shell));
      shown = `RUN <<${only.name} (${only.content.split('\n', 1)[0]?.slice(0, 60)}...)`;
    } else args = [...shell, withBodies(command.text, command.heredocs)];
  }
  const extra = runMounts(stage, instruction, sources);
  const historyText =
    command.form === 'exec'
      ? args.join(' ')
      : [...shell, command.form === 'shell' ? withBodies(command.text, command.heredocs) : ''].join(' ');
  stage.image.addHistory(`RUN ${argsPrefix(stage)}${historyText} # buildkit`, true);
  stage.state = execOp(
    {
      meta: {
        args: [...args],
        env: environmentOf(stage),
        cwd: stage.image.config.WorkingDir || '/',
        user: stage.image.config.User ?? '',
        ...proxyOf(stage),
        extraHosts: stage.options.extraHosts.map((host) => ({ ...host })),
        hostname: stage.options.hostname ?? stage.options.sandboxHostname ?? '',
        ulimit: stage.options.ulimits.map((ulimit) => ({ ...ulimit })),
        cgroupParent: stage.options.cgroupParent ?? '',
        removeMountStubsRecursive: true,
      },
      mounts: [{ dest: '/', from: stage.state, isOutput: true, mountType: MountType.BIND }, ...mounts, ...extra.mounts],
      network: networkOf(stage, instruction),
      security: instruction.security === 'insecure' ? SecurityMode.INSECURE : SecurityMode.SANDBOX,
      secretenv: extra.secretEnvironment,
      devices: instruction.devices.map(deviceOf),
    },
    optionsOf(stage, instruction, stepName(stage.naming, shown)),
  );
}

/** A heredoc alone: a script for the shell, or, with a `#!`, a program of its own. */
function heredocCommand(
  { content, name }: Heredoc,
  shell: readonly string[],
): { args: readonly string[]; mounts: ExecMount[] } {
  if (!content.startsWith('#!')) return { args: [...shell, content], mounts: [] };
  const file = fileOp(
    undefined,
    [
      {
        action: {
          case: 'mkfile',
          value: { path: `/${name}`, mode: 0o755, data: Buffer.from(content), timestamp: -1n },
        },
      },
    ],
    { name: '[internal] preparing inline document' },
  );
  const mount: ExecMount = {
    dest: posix.join(pipesDirectory, name),
    selector: `/${name}`,
    from: file,
    readonly: true,
    mountType: MountType.BIND,
  };
  return { args: [mount.dest], mounts: [mount] };
}

/** The shell reads the bodies itself, as they were written. */
function withBodies(text: string, heredocs: readonly Heredoc[]): string {
  if (heredocs.length === 0) return text;
  const bodies = heredocs.map(({ content, name }) => `${content}${name}`);
  return [text, ...bodies].join('\n');
}

const proxyNames = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'];

/** Declared args are variables of the process, so a changed value runs the step again. */
function environmentOf(stage: StageState): string[] {
  const environment = stage.image.environment();
  const args = [...stage.args].filter(([key]) => !environment.has(key));
  return [...environment, ...args].map(([key, value]) => `${key}=${value}`);
}

/** `|2 A=1 B=2 `: the args in use, as docker's history shows them. */
function argsPrefix(stage: StageState): string {
  const environment = stage.image.environment();
  const used = [...stage.args].filter(([key]) => !environment.has(key));
  return used.length === 0 ? '' : `|${used.length} ${used.map(([key, value]) => `${key}=${value}`).join(' ')} `;
}

function proxyOf(stage: StageState): { proxyEnv?: object } {
  const value = (name: string) =>
    stage.options.buildArgs.get(name) ?? stage.options.buildArgs.get(name.toLowerCase()) ?? '';
  const [httpProxy = '', httpsProxy = '', ftpProxy = '', noProxy = '', allProxy = ''] = proxyNames.map(value);
  const proxyEnv = { httpProxy, httpsProxy, ftpProxy, noProxy, allProxy };
  return Object.values(proxyEnv).some((each) => each !== '') ? { proxyEnv } : {};
}

function networkOf(stage: StageState, { network }: RunInstruction): NetMode {
  const wanted = network ?? stage.options.network;
  return wanted === 'host' ? NetMode.HOST : wanted === 'none' ? NetMode.NONE : NetMode.UNSET;
}

function deviceOf(text: string): { name: string; optional: boolean } {
  const [name = '', ...fields] = text.split(',');
  return { name: name.replace(/^name=/, ''), optional: !fields.includes('required') };
}
