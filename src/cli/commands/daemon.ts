import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { invalidArgument, SlipwayError } from '../../base/errors.ts';
import type { LogLevel } from '../../base/log.ts';
import type { CommandRun } from '../command.ts';
import { keyValues } from '../container/key-values.ts';
import type { Locations } from '../locations.ts';

/** `slipway daemon`, also under the name and with the flags of buildkitd. */
export const runDaemonCommand: CommandRun = async ({ flags, args }, { locations, name }) => {
  const [what] = args;
  if (what === 'status') return status(locations.root, locations.host);
  if (what === 'stop') return stop(locations.root);
  if (what !== undefined)
    throw invalidArgument(`unknown word ${JSON.stringify(what)} after daemon`, {
      hint: 'want status or stop, or nothing',
    });
  const level = flags.boolean('debug') ? 'debug' : flags.text('log-level');
  const idleExit = flags.text('idle-exit');
  const runtime = flags.text('runtime');
  if (runtime !== undefined && runtime !== 'crun' && runtime !== 'runc')
    throw invalidArgument(`cannot use runtime ${JSON.stringify(runtime)}`, { hint: 'want crun or runc' });
  const { runDaemonProcess } = await import('../daemon-process.ts');
  return runDaemonProcess({
    root: locations.rootIsGiven ? locations.root : undefined,
    addresses: flags.list('addr'),
    logLevel: readLogLevel(level),
    idleExit: idleExit === undefined ? undefined : Number(idleExit),
    parallelism: flags.number('max-parallelism'),
    runtime,
    entitlements: flags.list('allow-insecure-entitlement'),
    labels: keyValues(flags.list('oci-worker-labels').flatMap((text) => text.split(','))),
    gc: flags.has('oci-worker-gc') ? flags.boolean('oci-worker-gc') : undefined,
    configFile: flags.text('config'),
    ...(name === 'buildkitd' ? buildkitdPlaces(locations) : { defaults: locations }),
  });
};

/** Where buildkitd's own clients look, when it is started under that name. */
function buildkitdPlaces({ root, host, rootIsGiven }: Locations) {
  return {
    defaultConfigFile: '/etc/buildkit/buildkitd.toml',
    defaults: { root, host: rootIsGiven ? host : 'unix:///run/buildkit/buildkitd.sock' },
  };
}

function readLogLevel(text: string | undefined): LogLevel | undefined {
  if (text === undefined || text === 'debug' || text === 'info' || text === 'warn' || text === 'error') return text;
  if (text === 'trace') return 'debug';
  throw invalidArgument(`cannot use log level ${JSON.stringify(text)}`, { hint: 'want debug, info, warn or error' });
}

function runningPid(root: string): number | undefined {
  const path = join(root, 'lock');
  const pid = existsSync(path) ? Number(readFileSync(path, 'utf8').trim()) : 0;
  if (!(pid > 0)) return undefined;
  try {
    process.kill(pid, 0);
    // Pids are used again: it must have this store's name on its command line or in its lock.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('daemon') ||
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('buildkitd')
      ? pid
      : undefined;
  } catch {
    return undefined;
  }
}

function status(root: string, host: string): number {
  const pid = runningPid(root);
  console.log(
    pid === undefined
      ? `no daemon runs on ${root}`
      : `the daemon of ${root} runs as process ${pid} and listens on ${host}`,
  );
  return pid === undefined ? 1 : 0;
}

const stopLimit = 30_000;

async function stop(root: string): Promise<number> {
  const pid = runningPid(root);
  if (pid === undefined) return 0;
  process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + stopLimit;
  while (runningPid(root) === pid) {
    if (Date.now() > deadline)
      throw new SlipwayError(
        'deadline-exceeded',
        `the daemon of ${root} (process ${pid}) did not end within ${stopLimit / 1000} s`,
      );
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return 0;
}
