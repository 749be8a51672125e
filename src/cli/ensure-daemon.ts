import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { SlipwayError } from '../base/errors.ts';
import type { Locations } from './locations.ts';

/** A daemon that the command line starts ends by itself after this long without work. Milliseconds. */
const idleExit = 10 * 60_000;
const startLimit = 60_000;

/**
 * Makes sure that somebody listens: starts the daemon of this root when nobody does, unless SLIPWAY_AUTOSTART is 0. Two at
 * once start one: the store's lock decides.
 */
export async function ensureDaemon(locations: Locations): Promise<void> {
  const path = /^unix:\/\/(.+)$/.exec(locations.host)?.[1];
  if (path === undefined || (existsSync(path) && (await answers(path)))) return;
  if (!locations.isOwn || /^(0|false)$/i.test(process.env.SLIPWAY_AUTOSTART ?? '')) {
    throw new SlipwayError('unavailable', `cannot connect to the daemon at ${locations.host}: nothing listens there`, {
      hint: 'is it running?',
    });
  }
  mkdirSync(locations.root, { recursive: true, mode: 0o710 });
  const logPath = join(locations.root, 'daemon.log');
  const logStart = existsSync(logPath) ? statSync(logPath).size : 0;
  const log = openSync(logPath, 'a', 0o600);
  const [entry = ''] = process.argv.slice(1);
  const child = spawn(
    process.execPath,
    [
      ...process.execArgv,
      entry,
      'daemon',
      '--root',
      locations.root,
      '--addr',
      locations.host,
      '--idle-exit',
      `${idleExit}`,
    ],
    {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
    },
  );
  closeSync(log);
  let exited: number | null | undefined;
  child.once('exit', (code) => {
    exited = code ?? 1;
  });
  child.once('error', () => {
    exited = 1;
  });
  child.unref();
  const deadline = Date.now() + startLimit;
  for (let pause = 5; Date.now() < deadline; pause = Math.min(pause * 1.5, 100)) {
    if (existsSync(path) && (await answers(path))) return;
    // The other one of two that started at once holds the store: wait for that.
    if (exited !== undefined && !logTail(logPath, logStart).includes('it is open in process')) break;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  const said = logTail(logPath, logStart).trim().split('\n').slice(-5).join('\n');
  throw new SlipwayError(
    'unavailable',
    `cannot start the daemon: ${said || `it did not listen on ${locations.host} within ${startLimit / 1000} s`}`,
    { hint: `its log is ${logPath}` },
  );
}

function logTail(path: string, from: number): string {
  return readFileSync(path)
    .subarray(from)
    .toString('utf8')
    .replace(/^\S+ (debug|info|warn|error) /gm, '')
    .replace(/^slipway: /gm, '');
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
