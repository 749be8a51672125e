import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger, type LogLevel } from '../base/log.ts';
import type { RuntimeName } from '../runtime/find-runtime.ts';
import { type DaemonConfig, readDaemonConfigFile } from './config/daemon-config.ts';
import { Daemon } from './daemon.ts';
import { Engine } from './engine.ts';
import { type Entitlement, parseEntitlement } from './entitlements.ts';

/** What was said on the command line; it counts before the configuration file, and that before the defaults. */
export interface RunDaemonOptions {
  readonly root?: string | undefined;
  readonly addresses: readonly string[];
  readonly logLevel?: LogLevel | undefined;
  readonly idleExit?: number | undefined;
  readonly parallelism?: number | undefined;
  readonly runtime?: RuntimeName | undefined;
  readonly entitlements: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly gc?: boolean | undefined;
  /** A `buildkitd.toml`. */
  readonly configFile?: string | undefined;
  /** A file that counts when it exists and no other is named. */
  readonly defaultConfigFile?: string | undefined;
  readonly defaults: { readonly root: string; readonly host: string };
}

const inNamespace = 'SLIPWAY_IN_NAMESPACE';

/** Runs a daemon in this process until it is told to stop. Answers the exit code. */
export async function runDaemon(options: RunDaemonOptions): Promise<number> {
  const config = readConfig(options);
  const log = createLogger(options.logLevel ?? config.logLevel ?? 'info');
  for (const warning of config.warnings) log.warn(warning);
  const root = options.root ?? config.root ?? options.defaults.root;
  const addresses = [options.addresses, config.addresses ?? []].find((list) => list.length > 0) ?? [
    options.defaults.host,
  ];
  const engine = await Engine.open({
    root,
    parallelism: options.parallelism ?? config.parallelism,
    runtime: options.runtime,
    registries: { registries: config.registries },
    entitlements: entitlementsOf(options, config),
    frontends: config.frontends,
    provenanceEnvironment: config.provenanceEnvironment,
  });
  let daemon: Daemon;
  try {
    daemon = await Daemon.start(engine, {
      addresses,
      log,
      idleExit: options.idleExit,
      labels: { ...config.labels, ...options.labels },
      gc: { enabled: options.gc ?? config.gc, space: config.gcSpace, policies: config.gcPolicies },
    });
  } catch (error) {
    await engine.close();
    throw error;
  }
  writeFileSync(join(root, 'daemon.pid'), `${process.pid}\n`);
  const { binary, version, reason, warnings } = engine.runtime.describe();
  log.info(`serving ${addresses.join(', ')} from ${root}; runs containers by ${binary} ${version}: ${reason}`);
  for (const warning of warnings) log.warn(warning);
  process.once('SIGINT', () => daemon.stop());
  process.once('SIGTERM', () => daemon.stop());
  await daemon.stopped;
  log.info('stopping');
  await daemon.close();
  return 0;
}

function readConfig({ configFile, defaultConfigFile }: RunDaemonOptions): DaemonConfig {
  if (configFile !== undefined) return readDaemonConfigFile(configFile);
  if (defaultConfigFile !== undefined && existsSync(defaultConfigFile)) return readDaemonConfigFile(defaultConfigFile);
  return { registries: {}, labels: {}, warnings: [] };
}

/** As docker does, clients may use the host's network unless a configuration says what they may. */
function entitlementsOf(options: RunDaemonOptions, config: DaemonConfig): readonly Entitlement[] | undefined {
  const said = options.entitlements.map(parseEntitlement);
  const isConfigured = config.entitlements !== undefined || options.configFile !== undefined;
  return said.length > 0 || isConfigured ? [...said, ...(config.entitlements ?? [])] : undefined;
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
