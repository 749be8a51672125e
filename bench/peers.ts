import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface BuildOptions {
  readonly file?: string;
  readonly noCache?: boolean;
  /** Into the image store (or what the peer has for one); else nothing leaves the cache. */
  readonly image: boolean;
}

/** A builder under measurement: the same few calls for all. */
export interface Peer {
  readonly name: string;
  /** Builds in the store of a peer before it, where nothing is cold any more. */
  readonly sharesStore?: boolean;
  start(): Promise<void>;
  /** The command line that a user would type. */
  build(context: string, options: BuildOptions): readonly string[];
  /** Asks for the linter's warnings; absent where there is none. */
  check?(context: string): readonly string[];
  /** A command about containers; absent where there are none. */
  container?(...words: readonly string[]): readonly string[];
  version(): readonly string[];
  /** Highest resident memory of the daemon so far, in MB. */
  peakMemory(): number | undefined;
  stop(): Promise<void>;
}

const slipway = fileURLToPath(new URL('../bin/slipway', import.meta.url));

export function createSlipway(directory: string): Peer {
  const root = join(directory, 'slipway');
  const program = ['env', `SLIPWAY_ROOT=${root}`, slipway];
  return {
    name: 'slipway',
    start: async () => void must([...program, 'images']),
    build: (context, { file, noCache, image }) => [
      ...program,
      'build',
      '--progress=plain',
      ...(file === undefined ? [] : ['-f', join(context, file)]),
      ...(noCache ? ['--no-cache'] : []),
      ...(image ? ['-t', 'bench'] : ['-o', 'type=cacheonly']),
      context,
    ],
    check: (context) => [...program, 'build', '--check', context],
    container: (...words) => [...program, ...words],
    version: () => [slipway, '--version'],
    peakMemory: () => peakOf(readFileSync(join(root, 'lock'), 'utf8').trim()),
    stop: async () => void must([...program, 'daemon', 'stop']),
  };
}

/** buildkitd with buildctl; undefined when their binaries are not at hand. */
export function createBuildkit(
  directory: string,
  buildkitd = find('BUILDKITD', 'buildkitd'),
  buildctl = find('BUILDCTL', 'buildctl'),
): Peer | undefined {
  if (buildkitd === undefined || buildctl === undefined) return undefined;
  const root = join(directory, 'buildkit');
  const address = `unix://${root}/socket`;
  let daemon: ChildProcess;
  return {
    name: 'buildctl',
    start: async () => {
      mkdirSync(root, { recursive: true });
      daemon = spawn(
        buildkitd,
        ['--root', root, '--addr', address, '--containerd-worker=false', '--oci-worker-snapshotter=overlayfs'],
        { stdio: 'ignore' },
      );
      await untilDone('buildkitd', [buildctl, '--addr', address, 'debug', 'workers']);
    },
    build: (context, { file, noCache, image }) => [
      buildctl,
      '--addr',
      address,
      'build',
      '--progress=plain',
      '--frontend=dockerfile.v0',
      ...(file === undefined ? [] : [`--opt=filename=${file}`]),
      ...(noCache ? ['--no-cache'] : []),
      `--local=context=${context}`,
      `--local=dockerfile=${context}`,
      ...(image ? ['--output=type=image,name=bench'] : []),
    ],
    check: (context) => [
      buildctl,
      '--addr',
      address,
      'build',
      '--frontend=dockerfile.v0',
      '--opt=requestid=frontend.lint',
      `--local=context=${context}`,
      `--local=dockerfile=${context}`,
    ],
    version: () => [buildctl, '--version'],
    peakMemory: () => peakOf(`${daemon.pid}`),
    stop: () => ended(daemon),
  };
}

/** buildx over the buildkitd of another peer; undefined when its plugin is not at hand. */
export function createBuildx(directory: string, plugin = find('BUILDX', 'docker-buildx')): Peer | undefined {
  if (plugin === undefined) return undefined;
  const program = ['env', `BUILDX_CONFIG=${join(directory, 'buildx')}`, plugin];
  return {
    name: 'buildx',
    sharesStore: true,
    start: async () =>
      void must([
        ...program,
        'create',
        '--driver=remote',
        '--name=bench',
        '--use',
        `unix://${directory}/buildkit/socket`,
      ]),
    build: (context, { file, noCache, image }) => [
      ...program,
      'build',
      '--progress=plain',
      '--provenance=false',
      ...(file === undefined ? [] : [`--file=${join(context, file)}`]),
      ...(noCache ? ['--no-cache'] : []),
      image ? '--output=type=image,name=bench' : '--output=type=cacheonly',
      context,
    ],
    check: (context) => [...program, 'build', '--check', context],
    version: () => [plugin, 'version'],
    peakMemory: () => undefined,
    stop: async () => {},
  };
}

/** docker with an engine of its own; undefined when their binaries are not at hand. */
export function createDocker(
  directory: string,
  dockerd = find('DOCKERD', 'dockerd'),
  docker = find('DOCKER', 'docker'),
): Peer | undefined {
  if (dockerd === undefined || docker === undefined) return undefined;
  const root = join(directory, 'docker');
  const address = `unix://${root}/socket`;
  const program = [docker, '--host', address];
  let daemon: ChildProcess;
  return {
    name: 'docker',
    start: async () => {
      mkdirSync(root, { recursive: true });
      const places = [`--data-root=${root}/data`, `--exec-root=${root}/exec`, `--pidfile=${root}/pid`];
      daemon = spawn(dockerd, ['--host', address, ...places], { stdio: 'ignore' });
      await untilDone('dockerd', [...program, 'info']);
    },
    build: (context, { file, noCache }) => [
      ...program,
      'build',
      ...(file === undefined ? [] : [`--file=${join(context, file)}`]),
      ...(noCache ? ['--no-cache'] : []),
      '--tag=bench',
      context,
    ],
    container: (...words) => [...program, ...words],
    version: () => [docker, '--version'],
    peakMemory: () => peakOf(`${daemon.pid}`),
    stop: () => ended(daemon),
  };
}

async function untilDone(name: string, command: readonly string[]): Promise<void> {
  const [program = '', ...args] = command;
  for (let tries = 0; tries < 200; tries++) {
    if (spawnSync(program, args).status === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${name} did not come up`);
}

async function ended(daemon: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => daemon.once('exit', resolve));
  daemon.kill();
  await gone;
}

export function createBuildah(directory: string, buildah = find('BUILDAH', 'buildah')): Peer | undefined {
  if (buildah === undefined) return undefined;
  const program = [buildah, `--root=${join(directory, 'buildah')}`, `--runroot=${join(directory, 'buildah-run')}`];
  return {
    name: 'buildah',
    start: async () => {},
    build: (context, { file, noCache }) => [
      ...program,
      'build',
      '--layers',
      '--tls-verify=false',
      ...(file === undefined ? [] : [`--file=${join(context, file)}`]),
      ...(noCache ? ['--no-cache'] : []),
      '--tag=bench',
      context,
    ],
    version: () => [buildah, '--version'],
    peakMemory: () => undefined,
    stop: async () => void must([...program, 'rmi', '--all', '--force']),
  };
}

/** A program by the environment variable that names it, else on the PATH. */
export function find(variable: string, program: string): string | undefined {
  const given = process.env[variable];
  if (given !== undefined && existsSync(given)) return given;
  return (process.env.PATH ?? '')
    .split(':')
    .map((directory) => join(directory, program))
    .find(existsSync);
}

function peakOf(pid: string): number | undefined {
  const status = existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, 'utf8') : '';
  const kilobytes = /VmHWM:\s+(\d+)/.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Math.round(Number(kilobytes) / 1024);
}

export function must(command: readonly string[]): string {
  const [program = '', ...args] = command;
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${error?.message ?? `exit ${status}`}\n${stdout}${stderr}`);
  return stdout;
}
