import { randomBytes } from 'node:crypto';
import { invalidArgument, isErrorCode, notFound, SlipwayError } from '../base/errors.ts';
import type { ExecSpec, RunningProcess } from '../runtime/runtime.ts';
import type { ContainerRecord } from './container-record.ts';
import { execSpec } from './container-spec.ts';
import { ContainerStreams } from './container-streams.ts';
import type { Containers } from './containers.ts';
import type { ProcessHost } from './process-host.ts';
import { userIn } from './rootfs-view.ts';
import { inDockersWords } from './start-failure.ts';

/** `POST /containers/{id}/exec`, as docker's API has it. */
export interface ExecConfig {
  readonly Cmd: readonly string[];
  readonly Env?: readonly string[] | null;
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly Tty?: boolean;
  readonly Privileged?: boolean;
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  readonly DetachKeys?: string;
}

/** A further process of a container: asked for, running, or ended. */
export interface Exec {
  readonly id: string;
  readonly container: string;
  readonly config: ExecConfig;
  readonly streams: ContainerStreams;
  state: 'created' | 'running' | 'exited';
  exitCode: number | undefined;
  process: RunningProcess | undefined;
  size: { readonly rows: number; readonly columns: number } | undefined;
}

/** docker gives a process that cannot be had 126, whatever the reason, unless it is not there. */
function execFailureCode(error: unknown): number {
  return isErrorCode(error, 'not-found') ? 127 : 126;
}

/** So many ended ones are remembered, for those who ask for their exit code. */
const mostEnded = 1000;

/** Further processes in running containers (`exec`). They live as long as their container and this daemon. */
export class Execs {
  readonly #containers: Containers;
  readonly #processes: ProcessHost;
  readonly #execs = new Map<string, Exec>();

  constructor(containers: Containers, processes: ProcessHost) {
    this.#containers = containers;
    this.#processes = processes;
  }

  /** Throws not-found, failed-precondition when the container does not run, invalid-argument without a command. */
  create(text: string, config: ExecConfig): Exec {
    const record = this.#running(text);
    if (!Array.isArray(config.Cmd) || config.Cmd.length === 0 || config.Cmd.some((word) => typeof word !== 'string'))
      throw invalidArgument('No exec command specified');
    const exec: Exec = {
      id: randomBytes(32).toString('hex'),
      container: record.id,
      config,
      streams: new ContainerStreams(undefined),
      state: 'created',
      exitCode: undefined,
      process: undefined,
      size: undefined,
    };
    this.#execs.set(exec.id, exec);
    this.#forgetEnded();
    this.#tell(record, `exec_create: ${config.Cmd.join(' ')}`, exec);
    return exec;
  }

  /** Throws not-found. */
  find(id: string): Exec {
    const exec = this.#execs.get(id);
    if (!exec) throw notFound(`No such exec instance: ${id}`);
    return exec;
  }

  /** Throws failed-precondition when it was started before or its container has ended; what keeps the program from starting in docker's words. */
  async start(id: string): Promise<void> {
    const exec = this.find(id);
    if (exec.state !== 'created')
      throw new SlipwayError(
        'failed-precondition',
        `exec ${id} has already ${exec.state === 'running' ? 'started' : 'run'}`,
      );
    const record = this.#running(exec.container);
    exec.state = 'running';
    try {
      const options = { stdin: exec.config.AttachStdin === true };
      exec.process = await this.#processes.exec(record.id, this.#specOf(exec, record), exec.streams, options);
    } catch (error) {
      const failure = inDockersWords(error, exec.config.Cmd, 'start the process');
      this.#ended(exec, execFailureCode(failure));
      throw failure;
    }
    this.#tell(record, `exec_start: ${exec.config.Cmd.join(' ')}`, exec);
    exec.process.exited.then(
      ({ code }) => this.#ended(exec, code),
      () => this.#ended(exec, 137),
    );
  }

  /** Also before the start; without a terminal it does nothing. */
  resize(id: string, rows: number, columns: number): void {
    const exec = this.find(id);
    exec.size = { rows, columns };
    exec.process?.resize(rows, columns);
  }

  #running(text: string): ContainerRecord {
    const record = this.#containers.find(text);
    if (record.state.status !== 'running')
      throw new SlipwayError('failed-precondition', `container ${record.id} is not running`);
    return record;
  }

  #specOf({ id, config, size }: Exec, record: ContainerRecord): ExecSpec {
    const user = { ...record, config: { ...record.config, User: config.User || (record.config.User ?? '') } };
    // The kernel's view of the container's own root, in which names are looked up without leaving it.
    return execSpec(id, config, record, userIn(`/proc/${record.state.pid}/root`, user), size);
  }

  #ended(exec: Exec, code: number): void {
    exec.state = 'exited';
    exec.exitCode = code;
    exec.process = undefined;
    exec.streams.end();
    this.#containers.events.publish({
      type: 'container',
      action: 'exec_die',
      id: exec.container,
      attributes: { execID: exec.id, exitCode: `${code}` },
    });
  }

  #tell(record: ContainerRecord, action: string, { id }: Exec): void {
    const { name, image } = record;
    this.#containers.events.publish({
      type: 'container',
      action,
      id: record.id,
      attributes: { image, name, execID: id },
    });
  }

  #forgetEnded(): void {
    const ended = [...this.#execs.values()].filter(({ state }) => state === 'exited');
    for (const { id } of ended.slice(0, Math.max(0, ended.length - mostEnded))) this.#execs.delete(id);
  }
}
