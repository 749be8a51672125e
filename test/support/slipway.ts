import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));
const program = join(projectRoot, 'bin/slipway');

/** Why end-to-end tests cannot run here, or false. */
export const cannotRun = process.getuid?.() === 0 ? false : 'building and running containers needs root';

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface CallOptions {
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly env?: NodeJS.ProcessEnv;
}

/** How long one command may take on a busy machine. Milliseconds. */
const limit = 180_000;

/** A store and daemon of a test's own, with a directory for its files. */
export class Sandbox implements AsyncDisposable {
  /** On a disk in memory where there is one: a test's syncs then cost nothing. */
  readonly directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'slipway-test-'));
  readonly root = join(this.directory, 'root');

  get socket(): string {
    return join(this.root, 'run/slipway.sock');
  }

  get environment(): NodeJS.ProcessEnv {
    const { SLIPWAY_HOST: _, DOCKER_HOST: __, ...rest } = process.env;
    return { ...rest, SLIPWAY_ROOT: this.root, DOCKER_CONFIG: join(this.directory, 'docker-config'), NO_COLOR: '1' };
  }

  /** Runs a command to its end, whatever its code. */
  run(args: readonly string[], options: CallOptions = {}): Promise<Result> {
    return finish(this.start(args, options), options.input);
  }

  /** Runs a command that must work; answers what it printed. */
  async ok(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    assert.equal(code, 0, `slipway ${args.join(' ')}\n${stdout}${stderr}${this.log()}`);
    return stdout;
  }

  start(args: readonly string[], { cwd, env }: CallOptions = {}): ChildProcess {
    return spawn(program, args, { cwd: cwd ?? this.directory, env: { ...this.environment, ...env }, stdio: 'pipe' });
  }

  /** Runs another client against this sandbox's daemon. */
  other(command: string, args: readonly string[], options: CallOptions = {}): Promise<Result> {
    return finish(
      spawn(command, args, {
        cwd: options.cwd ?? this.directory,
        env: { ...this.environment, ...options.env },
        stdio: 'pipe',
      }),
      options.input,
    );
  }

  /** Writes files below a new directory; answers its path. */
  files(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
    const directory = join(this.directory, name);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), content);
    }
    return directory;
  }

  /** Makes a stand-in for a base image known to the store; made once for all tests and runs. */
  async baseImage(name: string): Promise<void> {
    await makeBaseImage(name);
    await this.ok('load', '-q', '-i', archiveOf(name));
  }

  /** The daemon's own words, for a failed test. */
  log(): string {
    const path = join(this.root, 'daemon.log');
    return existsSync(path) ? `\ndaemon.log:\n${readFileSync(path, 'utf8').slice(-2000)}` : '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run(['daemon', 'stop']);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const archives = process.env.SLIPWAY_BASE_IMAGES ?? join(projectRoot, '.cache/base-images');
const archiveOf = (name: string) => join(archives, `${name.replaceAll(/[/:]/g, '_')}.tar`);

async function makeBaseImage(name: string): Promise<void> {
  if (existsSync(archiveOf(name))) return;
  // One maker at a time on this machine; the others then find the archive.
  const lock = join(archives, 'lock');
  mkdirSync(archives, { recursive: true });
  const { code, stdout, stderr } = await finish(
    spawn('flock', [lock, 'sh', join(projectRoot, 'scripts/base-images'), name], { stdio: 'pipe' }),
  );
  assert.equal(code, 0, `scripts/base-images ${name}\n${stdout}${stderr}`);
}

export function finish(child: ChildProcess, input?: string | Uint8Array): Promise<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const parts: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  child.stdout?.on('data', (chunk) => parts.stdout.push(chunk));
  child.stderr?.on('data', (chunk) => parts.stderr.push(chunk));
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const timer = setTimeout(() => child.kill('SIGKILL'), limit);
  child.once('error', reject);
  child.once('close', (code, signal) => {
    clearTimeout(timer);
    const text = (name: 'stdout' | 'stderr') => Buffer.concat(parts[name]).toString('utf8');
    resolve({ code: code ?? (signal === 'SIGKILL' ? 137 : 1), stdout: text('stdout'), stderr: text('stderr') });
  });
  return promise;
}

/** Waits until a condition holds. */
export async function eventually(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + limit;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
