import { existsSync, writeFileSync } from 'node:fs';
import { errorMessage, invalidArgument, isErrorCode } from '../../base/errors.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import type { CommandRun } from '../command.ts';
import { attachStreams } from '../container/attach-streams.ts';
import { containerPath } from '../container/container-path.ts';
import { createBody } from '../container/create-body.ts';
import { openEngine } from '../engine.ts';
import { type FlagReader, UsageError } from '../flags.ts';
import { cleanText } from '../progress/terminal-text.ts';
import { reportError } from '../report-error.ts';
import { pullImage } from './transfer.ts';

/** docker's exit code for "the daemon could not". */
const daemonFailed = 125;

export const runCreate: CommandRun = async ({ flags, args: [image = '', ...command] }, { locations }) => {
  const body = createBody(image, command, flags);
  console.log(await create(await openEngine(locations), image, body, flags));
  return 0;
};

export const runRun: CommandRun = async ({ flags, args: [image = '', ...command] }, { locations }) => {
  const tty = flags.boolean('tty');
  const detached = flags.boolean('detach');
  if (tty && flags.boolean('interactive') && !detached && !process.stdin.isTTY)
    throw invalidArgument('the input device is not a TTY');
  if (detached && flags.has('attach'))
    throw new UsageError('conflicting options: cannot specify both --attach and --detach', 125);
  const body = createBody(image, command, flags);
  const engine = await openEngine(locations);
  const id = await create(engine, image, body, flags);
  if (detached) return startDetached(engine, id, flags);
  return foreground(engine, id, flags);
};

/** Creates the container; pulls the image when it is not here. */
async function create(engine: EngineClient, image: string, json: object, flags: FlagReader): Promise<string> {
  const pull = flags.text('pull') ?? 'missing';
  if (!['always', 'missing', 'never'].includes(pull))
    throw new UsageError(`invalid pull option: '${pull}': must be one of "always", "missing" or "never"`, 125);
  const idFile = flags.text('cidfile');
  if (idFile !== undefined && existsSync(idFile))
    throw invalidArgument(`container ID file found, make sure the other container isn't running or delete ${idFile}`);
  const platform = flags.text('platform') ?? process.env.DOCKER_DEFAULT_PLATFORM;
  const query = { name: flags.text('name'), platform };
  const options = { platform, quiet: flags.boolean('quiet'), output: process.stderr };
  const post = () =>
    engine.json<{ Id: string; Warnings?: string[] | null }>('POST', '/containers/create', { query, json });
  if (pull === 'always') await pullImage(engine, image, options);
  const { Id, Warnings } = await post().catch(async (error: unknown) => {
    if (!isErrorCode(error, 'not-found') || pull !== 'missing') throw error;
    if (!options.quiet) process.stderr.write(`Unable to find image '${image}' locally\n`);
    await pullImage(engine, image, options);
    return post();
  });
  for (const warning of Warnings ?? []) process.stderr.write(`WARNING: ${cleanText(warning)}\n`);
  if (idFile !== undefined) writeFileSync(idFile, Id);
  return Id;
}

async function startDetached(engine: EngineClient, id: string, flags: FlagReader): Promise<number> {
  try {
    await engine.text('POST', `${containerPath(id)}/start`);
  } catch (error) {
    return startFailed(engine, id, flags, error);
  }
  console.log(id);
  return 0;
}

/** docker's order: attach, wait, start, so that nothing is missed. */
async function foreground(engine: EngineClient, id: string, flags: FlagReader): Promise<number> {
  const path = containerPath(id);
  const named = flags.list('attach').map((name) => name.toLowerCase());
  const interactive = named.length > 0 ? named.includes('stdin') : flags.boolean('interactive');
  const wants = (name: string) => named.length === 0 || named.includes(name);
  const stream = await engine.hijack(`${path}/attach`, {
    query: { stream: true, stdin: interactive, stdout: wants('stdout'), stderr: wants('stderr') },
  });
  const streams = attachStreams(engine, stream, {
    tty: flags.boolean('tty'),
    interactive,
    proxySignals: !flags.has('sig-proxy') || flags.boolean('sig-proxy'),
    detachKeys: flags.text('detach-keys'),
    resizePath: `${path}/resize`,
    killPath: `${path}/kill`,
  });
  const condition = flags.boolean('rm') ? 'removed' : 'next-exit';
  const waiting = new AbortController();
  const exit = engine.json<{ StatusCode: number }>('POST', `${path}/wait`, {
    query: { condition },
    signal: waiting.signal,
  });
  exit.catch(() => {
    // Awaited below, unless the start fails before.
  });
  // Before the start: a signal that comes with the first output is the container's already.
  streams.connect();
  try {
    await engine.text('POST', `${path}/start`);
  } catch (error) {
    waiting.abort();
    streams.restore();
    stream.destroy();
    return startFailed(engine, id, flags, error);
  }
  try {
    if ((await streams.ended) === 'detached') return 0;
    return (await exit).StatusCode;
  } finally {
    waiting.abort();
    streams.restore();
    stream.destroy();
  }
}

/** What `--rm` says is for the daemon to do; it may not have come so far. */
async function startFailed(engine: EngineClient, id: string, flags: FlagReader, error: unknown): Promise<number> {
  if (flags.boolean('rm')) {
    await engine.text('DELETE', containerPath(id), { query: { force: true } }).catch(() => {
      // It is gone already.
    });
  }
  return reportError(error, startFailureCode(errorMessage(error)));
}

/** 127: no such program; 126: it cannot be run; else the daemon's 125. A daemon tells by its words only. */
export function startFailureCode(message: string): number {
  if (/executable file not found|no such file or directory/i.test(message)) return 127;
  return /permission denied|is a directory/i.test(message) ? 126 : daemonFailed;
}
