/**
 * The small process that starts all others: fork takes time in proportion to the memory of the one who forks. It lives as long as
 * its daemon, holds no state worth keeping, and ends the containers when the daemon is gone.
 */
import { type ChildProcess, type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import type { Reaper } from './reaper.ts';
import type { SpawnerReport, SpawnerRequest } from './spawner-protocol.ts';

type RunRequest = Extract<SpawnerRequest, { type: 'run' }>;

const daemonPid = process.ppid;
const running = new Map<number, RunRequest>();
/** The processes that Node waits for. */
const children = new Set<number>();
let reaper: Reaper | undefined;
/** A runtime finds its own helpers on the PATH and needs nothing else of the host's environment. */
const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

function report(message: SpawnerReport): void {
  // The daemon may be gone at this moment; 'disconnect' tells so next.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

process.on('message', (request: SpawnerRequest) => {
  if (request.type === 'run') void run(request);
  else command(request.key, request.argv);
});

process.on('disconnect', () => {
  for (const { cleanUp } of running.values()) {
    const [file = '', ...args] = cleanUp;
    spawnSync(file, args, { env, stdio: 'ignore', timeout: 30_000 });
  }
  process.exit();
});

// A terminal's Ctrl-C goes to the whole process group; the daemon decides what it means.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

async function run(request: RunRequest): Promise<void> {
  const { key, argv, stdio, detachedPidFile } = request;
  const [file = '', ...args] = argv;
  const opened: number[] = [];
  let child: ChildProcess;
  let orphan: ReturnType<Reaper['expect']> | undefined;
  try {
    if (detachedPidFile !== undefined) orphan = (await theReaper()).expect();
    const fds = stdio.map((fd, index) => (fd === null ? ('ignore' as const) : openOf(fd, index, opened)));
    child = start(file, args, { env, stdio: fds, cwd: '/' });
  } catch (error) {
    orphan?.forget();
    report({ type: 'exited', key, code: 255, failed: String(error) });
    return;
  } finally {
    for (const fd of opened) closeSync(fd);
  }
  running.set(key, request);
  report({ type: 'spawned', key });
  child.on('error', (error) => exited(key, 255, String(error)));
  child.on('exit', (code, signal) => {
    const status = shellCode(code, signal);
    if (orphan && detachedPidFile !== undefined && status === 0) void waitDetached(key, detachedPidFile, orphan);
    else {
      orphan?.forget();
      exited(key, status);
    }
  });
}

/** Loaded only when it is needed: the system calls take time. */
async function theReaper(): Promise<Reaper> {
  const { Reaper } = await import('./reaper.ts');
  reaper ??= new Reaper((pid) => children.has(pid));
  return reaper;
}

function start(...[file, args, options]: Parameters<typeof spawn>): ChildProcess {
  const child = spawn(file, args, options);
  const { pid } = child;
  if (pid !== undefined) {
    children.add(pid);
    child.on('exit', () => children.delete(pid));
  }
  return child;
}

/** Opens the same pipe that the daemon holds open. */
function openOf(fd: number, index: number, opened: number[]): number {
  const own = openSync(`/proc/${daemonPid}/fd/${fd}`, index === 0 ? 'r' : 'a');
  opened.push(own);
  return own;
}

function exited(key: number, code: number, failed?: string): void {
  if (running.delete(key)) report({ type: 'exited', key, code, failed });
}

function shellCode(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal ? constants.signals[signal] : 0);
}

async function waitDetached(key: number, pidFile: string, orphan: ReturnType<Reaper['expect']>): Promise<void> {
  try {
    exited(key, await orphan.exited(Number(readFileSync(pidFile, 'utf8'))));
  } catch (error) {
    exited(key, 255, String(error));
  }
}

const outputLimit = 64 * 1024;
const outputPatience = 20;

function command(key: number, argv: readonly string[]): void {
  const [file = '', ...args] = argv;
  const child = start(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' }) as ChildProcessByStdio<
    null,
    Readable,
    Readable
  >;
  let output = '';
  const keep = (chunk: string) => {
    if (output.length < outputLimit) output += chunk;
  };
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);
  child.on('error', (error) => report({ type: 'commanded', key, code: 255, output: String(error) }));
  child.on('exit', (code, signal) => {
    const end = () => {
      clearTimeout(patience);
      child.off('close', end);
      child.stdout.destroy();
      child.stderr.destroy();
      report({ type: 'commanded', key, code: shellCode(code, signal), output });
    };
    // What the command leaves behind may hold its output open.
    const patience = setTimeout(end, outputPatience);
    child.once('close', end);
  });
}

report({ type: 'ready' });
