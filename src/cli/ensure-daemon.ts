import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { SlipwayError, systemErrorCode } from '../base/errors.ts';
import type { Locations } from './locations.ts';

export interface EnsureDaemonOptions {
  /** Program and arguments that run this command line, before `daemon`. */
  readonly launcher?: readonly string[] | undefined;
  readonly environment?: NodeJS.ProcessEnv | undefined;
  /** Longest wait for it to listen. Milliseconds. */
  readonly limit?: number | undefined;
}

/** A daemon that the command line starts ends by itself after this long without work. Milliseconds. */
const idleExit = 10 * 60_000;
/** A log that has grown past this is begun anew. Bytes. */
const longestLog = 16 << 20;

/**
 * Makes sure that somebody listens: starts the daemon of this root when nobody does, unless SLIPWAY_AUTOSTART is 0. Two at
 * once start one: the store's lock decides, and the other one's user waits for the first.
 */
export async function ensureDaemon(locations: Locations, options: EnsureDaemonOptions = {}): Promise<void> {
  const path = /^unix:\/\/(.+)$/.exec(locations.host)?.[1];
  if (path === undefined || (await answers(path))) return;
  const mayStart = !/^(0|false)$/i.test((options.environment ?? process.env).SLIPWAY_AUTOSTART ?? '');
  if (!locations.isOwn || !mayStart) {
    throw new SlipwayError('unavailable', `cannot connect to the daemon at ${locations.host}: nothing listens there`, {
      hint: 'is it running?',
    });
  }
  if (process.getuid?.() !== 0 && options.launcher === undefined) {
    throw new SlipwayError('permission-denied', 'cannot start the daemon: mounts and containers need root', {
      hint: `run it with sudo, or get access to a running daemon's socket (tried ${path})`,
    });
  }
  await start(locations, path, options);
}

async function start({ root, host }: Locations, path: string, options: EnsureDaemonOptions): Promise<void> {
  mkdirSync(root, { recursive: true, mode: 0o710 });
  const limit = options.limit ?? 60_000;
  const logPath = join(root, 'daemon.log');
  const logBefore = statSync(logPath, { throwIfNoEntry: false })?.size ?? 0;
  const anew = logBefore > longestLog;
  const logStart = anew ? 0 : logBefore;
  const daemon = spawnDaemon(logPath, anew, root, host, options.launcher ?? thisProgram());
  const deadline = Date.now() + limit;
  for (let pause = 5; Date.now() < deadline; pause = Math.min(pause * 1.5, 100)) {
    if (await answers(path)) return;
    // The other one of two that started at once holds the store: wait for that.
    if (daemon.hasEnded() && !logTail(logPath, logStart).includes('it is open in process')) break;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  const said = logTail(logPath, logStart).trim().split('\n').slice(-5).join('\n');
  const silence = daemon.hasEnded()
    ? 'it ended without a word'
    : `it did not listen on ${host} within ${limit / 1000} s`;
  throw new SlipwayError('unavailable', `cannot start the daemon: ${said || silence}`, {
    hint: `its log is ${logPath}`,
  });
}

function thisProgram(): readonly string[] {
  return [process.execPath, ...process.execArgv, process.argv[1] ?? ''];
}

function spawnDaemon(logPath: string, anew: boolean, root: string, host: string, launcher: readonly string[]) {
  const [program = '', ...first] = launcher;
  const log = openSync(logPath, anew ? 'w' : 'a', 0o600);
  const args = [...first, 'daemon', '--root', root, '--addr', host, '--idle-exit', `${idleExit}`];
  const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log], cwd: '/' });
  closeSync(log);
  let ended = false;
  for (const event of ['exit', 'error'] as const) {
    child.once(event, () => {
      ended = true;
    });
  }
  child.unref();
  return { hasEnded: () => ended };
}

/** What the daemon has said since, without times and levels. */
function logTail(path: string, from: number): string {
  return readFileSync(path)
    .subarray(from)
    .toString('utf8')
    .replace(/^\S+ (debug|info|warn|error) /gm, '')
    .replace(/^slipway: /gm, '');
}

/** Throws permission-denied where somebody may listen, but not to us. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => {
      if (systemErrorCode(error) !== 'EACCES') return resolve(false);
      const message = `cannot connect to the daemon at "unix://${path}": permission denied`;
      reject(new SlipwayError('permission-denied', message, { cause: error, hint: 'run it with sudo' }));
    });
  });
}
