import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger, type LogLevel } from '../base/log.ts';
import type { RuntimeName } from '../runtime/find-runtime.ts';
import { Daemon } from './daemon.ts';
import { Engine } from './engine.ts';

export interface RunDaemonOptions {
  readonly root: string;
  readonly addresses: readonly string[];
  readonly logLevel?: LogLevel | undefined;
  readonly idleExit?: number | undefined;
  readonly parallelism?: number | undefined;
  readonly runtime?: RuntimeName | undefined;
}

const inNamespace = 'SLIPWAY_IN_NAMESPACE';

/** Runs a daemon in this process until it is told to stop. Answers the exit code. */
export async function runDaemon(options: RunDaemonOptions): Promise<number> {
  const log = createLogger(options.logLevel ?? 'info');
  const engine = await Engine.open(options);
  let daemon: Daemon;
  try {
    daemon = await Daemon.start(engine, { addresses: options.addresses, log, idleExit: options.idleExit });
  } catch (error) {
    await engine.close();
    throw error;
  }
  writeFileSync(join(options.root, 'daemon.pid'), `${process.pid}\n`);
  const { binary, version, reason, warnings } = engine.runtime.describe();
  log.info(
    `serving ${options.addresses.join(', ')} from ${options.root}; runs containers by ${binary} ${version}: ${reason}`,
  );
  for (const warning of warnings) log.warn(warning);
  process.once('SIGINT', () => daemon.stop());
  process.once('SIGTERM', () => daemon.stop());
  await daemon.stopped;
  log.info('stopping');
  await daemon.close();
  return 0;
}

/**
 * The daemon's mounts live and die with it in a mount namespace of its own, which must be entered before Node starts its
 * threads: the process is started again inside one. Answers the exit code of that process, or undefined when this is it.
 */
export async function reenterInMountNamespace(): Promise<number | undefined> {
  if (process.env[inNamespace] === '1' || process.getuid?.() !== 0) return undefined;
  const args = ['--mount', '--propagation', 'private', process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('unshare', args, { stdio: 'inherit', env: { ...process.env, [inNamespace]: '1' } });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 1)));
  });
}
