import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { invalidArgument, SlipwayError } from '../base/errors.ts';
import { Console } from './console.ts';
import { ProcessPipes } from './pipes.ts';
import type { ContainerSpec, ExitStatus, ProcessIo, RunningProcess } from './runtime.ts';
import type { SpawnerClient } from './spawner-client.ts';
import { startFailure } from './start-failure.ts';

export interface RuntimeProcessOptions {
  readonly id: string;
  readonly bundle: ProcessPlace;
  /** The runtime's subcommand: `run`, or `exec` for a further process of a container, which goes on when that one ends. */
  readonly words: readonly string[];
  readonly isExec?: boolean;
  readonly spawner: SpawnerClient;
  /** The runtime's command line up to its subcommand. */
  readonly command: readonly string[];
  readonly binary: string;
  readonly terminal: ContainerSpec['terminal'];
  readonly limitsMemory: boolean;
  readonly io: ProcessIo;
  readonly signal?: AbortSignal | undefined;
}

/** Where the runtime and the daemon meet on disk. */
export interface ProcessPlace {
  readonly pidFile: string;
  readonly logFile: string;
  readonly consoleSocket: string;
  remove(): void;
}

/** How long output may stay open after its process and all of its namespace ended: somebody else was given the pipe. */
const drainLimit = 10_000;
const killedCode = 128 + constants.signals.SIGKILL;

/** One process of the runtime's, from its start to the last byte of its output; a container's own takes the container with it. */
export class RuntimeProcess implements RunningProcess {
  readonly exited: Promise<ExitStatus>;
  readonly #options: RuntimeProcessOptions;
  readonly #streams: ProcessPipes | Console;
  readonly #spawned: Promise<void>;
  readonly #runtimeExited: Promise<number>;
  readonly #pumping = Promise.withResolvers<void>();
  readonly #commands = new Set<Promise<unknown>>();
  #runtimeGone = false;
  #ended = false;
  #running = false;
  #killedByUs = false;
  #failure: SlipwayError | undefined;
  #pid = 0;

  constructor(options: RuntimeProcessOptions) {
    this.#options = options;
    const { bundle, spawner, command, id, io, terminal } = options;
    this.#streams = terminal ? new Console(bundle.consoleSocket, terminal, io) : new ProcessPipes(io);
    const run = ['--log', bundle.logFile, '--log-format', 'json', ...options.words, '--pid-file', bundle.pidFile];
    const detached = terminal ? ['--detach', '--console-socket', bundle.consoleSocket] : [];
    const { spawned, exited } = spawner.run({
      argv: [...command, ...run, ...detached, id],
      stdio: this.#streams.childEnds,
      detachedPidFile: terminal ? bundle.pidFile : undefined,
      // A further process ends with its container.
      cleanUp: options.isExec ? ['true'] : [...command, 'delete', '--force', id],
    });
    this.#spawned = spawned.then(() => this.#streams.closeChildEnds());
    this.#runtimeExited = exited.finally(() => {
      this.#runtimeGone = true;
    });
    this.exited = this.#follow();
    this.exited.catch(() => {});
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal?.aborted) this.#onAbort();
  }

  get pid(): number {
    return this.#pid;
  }

  /** Resolves when the container's own program runs, or has run; throws why it did not. */
  async started(executable: string): Promise<void> {
    for (let wait = 1; !this.#runtimeGone && !this.#isRunning(); wait = Math.min(wait * 1.5, 20)) {
      await Promise.race([sleep(wait), this.#runtimeExited.catch(() => {})]);
    }
    if (this.#running) {
      this.#pumping.resolve();
      return;
    }
    const failure = await this.#startFailure(executable);
    if (!failure) {
      this.#pumping.resolve();
      return;
    }
    this.#failure = failure;
    this.#streams.destroy();
    this.#pumping.resolve();
    await this.exited.catch(() => {});
    this.#options.signal?.throwIfAborted();
    throw failure;
  }

  async #startFailure(executable: string): Promise<SlipwayError | undefined> {
    let code: number;
    try {
      code = await this.#runtimeExited;
    } catch (error) {
      return error instanceof SlipwayError ? error : new SlipwayError('unavailable', String(error));
    }
    return code === 0 ? undefined : startFailure(this.#options.bundle.logFile, this.#options.id, executable);
  }

  /** The runtime's own program gives way to the container's: until then it is that binary, or a copy of it in memory. */
  #isRunning(): boolean {
    if (this.#running) return true;
    try {
      if (this.#readPid() === 0) return false;
      const program = `/proc/${this.#pid}/exe`;
      const name = readlinkSync(program);
      if (name.startsWith('/memfd:') || name.includes(this.#options.binary)) return false;
      const [own, other] = [statSync(this.#options.binary), statSync(program)];
      this.#running = own.ino !== other.ino || own.dev !== other.dev;
    } catch {
      // Not there yet, or no longer.
    }
    return this.#running;
  }

  #readPid(): number {
    this.#pid ||= Number(readFileSync(this.#options.bundle.pidFile, 'utf8'));
    return this.#pid;
  }

  async kill(signal: string): Promise<void> {
    if (!Object.hasOwn(constants.signals, signal)) throw invalidArgument(`cannot send "${signal}": it is no signal`);
    if (this.#ended) return;
    if (this.#options.isExec) {
      this.#signal(signal as NodeJS.Signals);
      return;
    }
    const { code, output } = await this.#command('kill', this.#options.id, signal);
    if (code === 0 || this.#ended) return;
    await Promise.race([sleep(200), this.exited.catch(() => {})]);
    if (this.#ended) return;
    throw new SlipwayError('failed-precondition', `cannot send ${signal} to "${this.#options.id}": ${output.trim()}`);
  }

  resize(rows: number, columns: number): void {
    if (this.#streams instanceof Console) this.#streams.resize(rows, columns);
  }

  /** Kills the container, also one that is still being made, and resolves when nothing is left of it. */
  async end(): Promise<void> {
    this.#killedByUs = true;
    for (let wait = 5, tries = 0; !this.#ended; wait = Math.min(wait * 2, 200), tries++) {
      if (this.#options.isExec) this.#signal('SIGKILL');
      const words = tries < 50 ? ['kill', this.#options.id, 'KILL'] : ['delete', '--force', this.#options.id];
      if (!this.#options.isExec) await this.#command(...words).catch(() => {});
      await Promise.race([sleep(wait), this.exited.catch(() => {})]);
    }
    await this.exited.catch(() => {});
  }

  /** The runtime knows no name for a further process, only its number, which is its own until it has been waited for. */
  #signal(signal: NodeJS.Signals): void {
    try {
      if (this.#readPid() > 0) process.kill(this.#pid, signal);
    } catch {
      // Not there yet, or no longer.
    }
  }

  readonly #onAbort = () => {
    void this.end();
  };

  #command(...words: string[]): Promise<{ code: number; output: string }> {
    const result = this.#options.spawner.command([...this.#options.command, ...words]);
    this.#commands.add(result);
    const done = () => this.#commands.delete(result);
    result.then(done, done);
    return result;
  }

  async #follow(): Promise<ExitStatus> {
    const output = this.#pump();
    let code = 255;
    try {
      await this.#spawned;
      code = await this.#runtimeExited;
    } catch (error) {
      this.#failure ??= error instanceof SlipwayError ? error : new SlipwayError('unavailable', String(error));
    }
    this.#isRunning();
    const isWhole = !this.#options.isExec;
    if (isWhole && (this.#failure || this.#options.terminal || code > 128)) await this.#forceDelete();
    const failed = await Promise.race([output, sleep(drainLimit, undefined, { ref: false })]);
    this.#ended = true;
    await Promise.allSettled(this.#commands);
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#streams.destroy();
    this.#options.bundle.remove();
    if (failed) throw failed;
    if (this.#failure) throw this.#failure;
    return { code, outOfMemory: code === killedCode && this.#options.limitsMemory && !this.#killedByUs };
  }

  /** Output waits until the start is decided: a runtime that fails writes its own remarks there. */
  async #pump(): Promise<Error | undefined> {
    await this.#pumping.promise;
    if (this.#failure) return undefined;
    try {
      await this.#streams.pump();
      return undefined;
    } catch (error) {
      if (this.#failure || this.#ended) return undefined;
      void this.end();
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** A runtime that was itself killed, or had detached, leaves its state and cgroup behind. */
  async #forceDelete(): Promise<void> {
    await this.#command('delete', '--force', this.#options.id).catch(() => {});
  }
}
