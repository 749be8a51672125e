import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { invalidArgument, isErrorCode, SlipwayError } from '../../base/errors.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import type { CommandRun } from '../command.ts';
import { copyMultiplexed } from '../copy-streams.ts';
import { openEngine } from '../engine.ts';
import { type FlagReader, UsageError } from '../flags.ts';
import { reportError } from '../report-error.ts';
import { bytesOf } from './build.ts';
import { pullImage } from './transfer.ts';

/** docker's code for "the daemon could not". */
const daemonFailed = 125;

export const runRun: CommandRun = async ({ flags, args }, { locations }) => {
  const [image, ...command] = args;
  if (image === undefined) throw new UsageError('"slipway run" requires at least 1 argument');
  const tty = flags.boolean('tty');
  if (tty && flags.boolean('interactive') && !flags.boolean('detach') && !process.stdin.isTTY)
    throw new SlipwayError('invalid-argument', 'the input device is not a TTY');
  const body = createBody(image, command, flags);
  let engine: EngineClient;
  let id: string;
  try {
    engine = await openEngine(locations);
    id = await create(engine, image, body, flags);
  } catch (error) {
    return reportError(error, daemonFailed);
  }
  if (flags.boolean('detach')) {
    await engine.text('POST', `/containers/${id}/start`);
    console.log(id);
    return 0;
  }
  return foreground(engine, id, {
    tty,
    interactive: flags.boolean('interactive'),
    remove: flags.boolean('rm'),
    proxySignals: !flags.has('sig-proxy') || flags.boolean('sig-proxy'),
  });
};

/** Creates the container; pulls the image when it is not here. */
async function create(engine: EngineClient, image: string, json: object, flags: FlagReader): Promise<string> {
  const pull = flags.text('pull') ?? 'missing';
  if (!['always', 'missing', 'never'].includes(pull))
    throw invalidArgument(`invalid pull option: '${pull}': must be one of "always", "missing" or "never"`);
  const query = { name: flags.text('name'), platform: flags.text('platform') };
  const options = { platform: flags.text('platform'), quiet: true };
  if (pull === 'always') await pullImage(engine, image, options);
  try {
    return (await engine.json<{ Id: string }>('POST', '/containers/create', { query, json })).Id;
  } catch (error) {
    if (!isErrorCode(error, 'not-found') || pull !== 'missing') throw error;
    process.stderr.write(`Unable to find image '${image}' locally\n`);
    await pullImage(engine, image, options);
    return (await engine.json<{ Id: string }>('POST', '/containers/create', { query, json })).Id;
  }
}

interface ForegroundOptions {
  readonly tty: boolean;
  readonly interactive: boolean;
  readonly remove: boolean;
  readonly proxySignals: boolean;
}

/** docker's order: attach, wait, start, so that nothing is missed. */
async function foreground(engine: EngineClient, id: string, options: ForegroundOptions): Promise<number> {
  const path = `/containers/${id}`;
  const stream = await engine.hijack(`${path}/attach`, {
    stream: true,
    stdin: options.interactive,
    stdout: true,
    stderr: true,
  });
  const output = options.tty ? copyRaw(stream) : copyMultiplexed(stream, process.stdout, process.stderr);
  const exit = engine.json<{ StatusCode: number; Error?: { Message: string } }>('POST', `${path}/wait`, {
    query: { condition: options.remove ? 'removed' : 'next-exit' },
  });
  for (const each of [output, exit]) {
    each.catch(() => {
      // Awaited below, unless the start fails before.
    });
  }
  // Before the start: a signal that comes with the first output is the container's already.
  const restore = connectInput(engine, path, stream, options);
  try {
    await engine.text('POST', `${path}/start`);
  } catch (error) {
    restore();
    stream.destroy();
    if (!options.remove) await engine.text('DELETE', path).catch(() => undefined);
    return reportError(error, startFailureCode(error));
  }
  try {
    const [{ StatusCode }] = await Promise.all([exit, output]);
    return StatusCode;
  } finally {
    restore();
    stream.destroy();
  }
}

async function copyRaw(stream: Socket): Promise<void> {
  for await (const chunk of stream) process.stdout.write(chunk);
}

const proxied: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'];

/** Standard input, signals and the terminal's size go to the container; answers how to take that back. */
function connectInput(
  engine: EngineClient,
  path: string,
  stream: Socket,
  { tty, interactive, proxySignals }: ForegroundOptions,
): () => void {
  const undo: (() => void)[] = [];
  if (interactive) {
    process.stdin.on('data', (chunk) => stream.write(chunk));
    process.stdin.on('end', () => stream.end());
    undo.push(() => process.stdin.destroy());
    if (tty && process.stdin.isTTY) {
      process.stdin.setRawMode(true);
      undo.push(() => process.stdin.setRawMode(false));
    }
  }
  if (tty && process.stdout.isTTY) {
    const resize = () =>
      void engine
        .text('POST', `${path}/resize`, { query: { h: `${process.stdout.rows}`, w: `${process.stdout.columns}` } })
        .catch(() => undefined);
    resize();
    process.stdout.on('resize', resize);
    undo.push(() => process.stdout.off('resize', resize));
  } else if (proxySignals) {
    for (const signal of proxied) {
      const forward = () => void engine.text('POST', `${path}/kill`, { query: { signal } }).catch(() => undefined);
      process.on(signal, forward);
      undo.push(() => process.off(signal, forward));
    }
  }
  return () => {
    for (const each of undo) each();
  };
}

/** 127: no such program; 126: it cannot be run; else the daemon's 125. */
function startFailureCode(error: unknown): number {
  if (isErrorCode(error, 'not-found')) return 127;
  return isErrorCode(error, 'permission-denied') ? 126 : daemonFailed;
}

function createBody(image: string, command: readonly string[], flags: FlagReader): object {
  const interactive = flags.boolean('interactive');
  const detached = flags.boolean('detach');
  const entrypoint = flags.text('entrypoint');
  return {
    Hostname: flags.text('hostname') ?? '',
    User: flags.text('user') ?? '',
    AttachStdin: interactive && !detached,
    AttachStdout: !detached,
    AttachStderr: !detached,
    Tty: flags.boolean('tty'),
    OpenStdin: interactive,
    StdinOnce: interactive && !detached,
    Env: [...flags.list('env-file').flatMap(readEnvFile), ...flags.list('env').flatMap(environmentEntry)],
    Cmd: command.length > 0 ? command : null,
    Entrypoint: entrypoint === undefined ? null : [entrypoint],
    Image: image,
    WorkingDir: flags.text('workdir') ?? '',
    Labels: Object.fromEntries(
      flags
        .list('label')
        .map((text) => [text.split('=', 1)[0], text.includes('=') ? text.slice(text.indexOf('=') + 1) : '']),
    ),
    StopSignal: flags.text('stop-signal') ?? '',
    ...(flags.has('stop-timeout') ? { StopTimeout: flags.number('stop-timeout') } : {}),
    HostConfig: {
      AutoRemove: flags.boolean('rm'),
      Binds: [...flags.list('volume')],
      NetworkMode: flags.text('network') ?? 'default',
      Privileged: flags.boolean('privileged'),
      ReadonlyRootfs: flags.boolean('read-only'),
      CapAdd: [...flags.list('cap-add')],
      CapDrop: [...flags.list('cap-drop')],
      SecurityOpt: [...flags.list('security-opt')],
      ExtraHosts: [...flags.list('add-host')],
      GroupAdd: [...flags.list('group-add')],
      Tmpfs: Object.fromEntries(
        flags
          .list('tmpfs')
          .map((text) => text.split(':', 2) as [string, string?])
          .map(([path, options = '']) => [path, options]),
      ),
      Sysctls: Object.fromEntries(flags.list('sysctl').map((text) => text.split('=', 2))),
      Ulimits: flags.list('ulimit').map(ulimit),
      CpusetCpus: flags.text('cpuset-cpus') ?? '',
      CpuShares: flags.number('cpu-shares') ?? 0,
      NanoCpus: Math.round((flags.number('cpus') ?? 0) * 1e9),
      Memory: flags.has('memory') ? bytesOf(flags.text('memory') ?? '') : 0,
      ...(flags.has('shm-size') ? { ShmSize: bytesOf(flags.text('shm-size') ?? '') } : {}),
      ...(flags.has('pids-limit') ? { PidsLimit: flags.number('pids-limit') } : {}),
    },
  };
}

/** `NAME` alone takes the caller's value, if there is one. */
function environmentEntry(text: string): string[] {
  if (text.includes('=')) return [text];
  const value = process.env[text];
  return value === undefined ? [text] : [`${text}=${value}`];
}

function readEnvFile(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap(environmentEntry);
}

function ulimit(text: string): object {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (!match)
    throw new UsageError(`invalid argument ${JSON.stringify(text)} for "--ulimit" flag: want name=soft[:hard]`);
  return { Name: match[1], Soft: Number(match[2]), Hard: Number(match[3] ?? match[2]) };
}
