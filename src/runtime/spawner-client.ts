import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SlipwayError } from '../base/errors.ts';
import type { SpawnerReport, SpawnerRequest } from './spawner-protocol.ts';

export interface CommandResult {
  readonly code: number;
  readonly output: string;
}

export interface SpawnedRun {
  /** The daemon's ends of the pipes may be closed. */
  readonly spawned: Promise<void>;
  /** The exit code as a shell gives it; rejects when nothing could be started or the helper was lost. */
  readonly exited: Promise<number>;
}

interface Waiting {
  spawned(): void;
  exited(code: number): void;
  commanded(result: CommandResult): void;
  fail(error: Error): void;
}

const nothing = () => {};

/** The daemon's side of the helper process that starts others; started on first use and again when it was lost. */
export class SpawnerClient {
  readonly #path: string;
  #helper: ChildProcess | undefined;
  #lastKey = 0;
  readonly #waiting = new Map<number, Waiting>();

  /** `path` names the helper's program; by default it lies beside this file, in source as in a bundle. */
  constructor(path: string = besideThisFile()) {
    this.#path = path;
  }

  run(options: Omit<Extract<SpawnerRequest, { type: 'run' }>, 'type' | 'key'>): SpawnedRun {
    const spawned = Promise.withResolvers<void>();
    const exited = Promise.withResolvers<number>();
    const key = ++this.#lastKey;
    this.#waiting.set(key, {
      spawned: spawned.resolve,
      exited: (code) => {
        spawned.resolve();
        exited.resolve(code);
      },
      commanded: nothing,
      fail: (error) => {
        spawned.resolve();
        exited.reject(error);
      },
    });
    this.#send({ type: 'run', key, ...options });
    return { spawned: spawned.promise, exited: exited.promise };
  }

  command(argv: readonly string[]): Promise<CommandResult> {
    const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
    const key = ++this.#lastKey;
    this.#waiting.set(key, { spawned: nothing, exited: nothing, commanded: resolve, fail: reject });
    this.#send({ type: 'command', key, argv });
    return promise;
  }

  /** Starts the helper ahead of its first use. */
  warm(): void {
    this.#connect();
  }

  /** Ends the helper, and with it whatever still runs. */
  async close(): Promise<void> {
    const helper = this.#helper;
    this.#helper = undefined;
    if (!helper || helper.exitCode !== null || helper.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => helper.once('exit', () => resolve()));
    helper.ref();
    if (helper.connected) helper.disconnect();
    await gone;
  }

  #send(request: SpawnerRequest): void {
    const helper = this.#connect();
    helper.channel?.ref();
    helper.send(request, (error) => {
      if (error) this.#settle(request.key)?.fail(lostHelper(error));
    });
  }

  #connect(): ChildProcess {
    if (this.#helper) return this.#helper;
    // Its stderr is the daemon's: it says something only when it is broken.
    const helper = fork(this.#path, [], {
      execArgv: ['--max-old-space-size=64', '--max-semi-space-size=1', '--no-warnings'],
      env: { PATH: process.env.PATH ?? '' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    helper.unref();
    helper.channel?.unref();
    this.#helper = helper;
    helper.on('message', (report: SpawnerReport) => this.#onReport(report));
    helper.on('error', (error) => this.#lost(helper, error));
    helper.on('exit', (code, signal) => this.#lost(helper, new Error(`it ended with ${signal ?? `code ${code}`}`)));
    return helper;
  }

  #lost(helper: ChildProcess, cause: Error): void {
    if (this.#helper === helper) this.#helper = undefined;
    for (const key of [...this.#waiting.keys()]) this.#settle(key)?.fail(lostHelper(cause));
  }

  #onReport(report: SpawnerReport): void {
    if (report.type === 'ready') return;
    if (report.type === 'spawned') {
      this.#waiting.get(report.key)?.spawned();
      return;
    }
    const waiting = this.#settle(report.key);
    if (report.type === 'commanded') waiting?.commanded(report);
    else if (report.failed === undefined) waiting?.exited(report.code);
    else waiting?.fail(new SlipwayError('unavailable', `cannot start a process: ${report.failed}`));
  }

  #settle(key: number): Waiting | undefined {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    this.#hold();
    return waiting;
  }

  /** Only work that is under way keeps the daemon's event loop alive. */
  #hold(): void {
    if (this.#waiting.size === 0) this.#helper?.channel?.unref();
  }
}

function lostHelper(cause: Error): SlipwayError {
  return new SlipwayError('unavailable', `lost the helper process that starts containers: ${cause.message}`, {
    hint: 'it is started again for the next container',
    cause,
  });
}

function besideThisFile(): string {
  return fileURLToPath(new URL(`./spawner${extname(new URL(import.meta.url).pathname)}`, import.meta.url));
}
