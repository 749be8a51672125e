import type { ContainerSpec, ExecSpec, ProcessIo, RunningProcess, Runtime } from '../runtime/runtime.ts';
import type { ContainerStreams } from './container-streams.ts';

/**
 * Owns containers' processes. `start` resolves when the process runs and throws as Runtime does; its streams are connected until
 * it ends. Whether a process outlives the daemon is the host's own matter.
 */
export interface ProcessHost {
  start(spec: ContainerSpec, streams: ContainerStreams, options: { readonly stdin: boolean }): Promise<RunningProcess>;
  /** A further process in a container that it runs. */
  exec(
    container: string,
    spec: ExecSpec,
    streams: ContainerStreams,
    options: { readonly stdin: boolean },
  ): Promise<RunningProcess>;
}

/** Processes that belong to the daemon and end with it. */
export class DaemonProcesses implements ProcessHost {
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  start(
    spec: ContainerSpec,
    streams: ContainerStreams,
    { stdin }: { readonly stdin: boolean },
  ): Promise<RunningProcess> {
    return this.#runtime.start(spec, ioOf(streams, stdin));
  }

  exec(
    container: string,
    spec: ExecSpec,
    streams: ContainerStreams,
    { stdin }: { readonly stdin: boolean },
  ): Promise<RunningProcess> {
    return this.#runtime.exec(container, spec, ioOf(streams, stdin));
  }
}

function ioOf(streams: ContainerStreams, stdin: boolean): ProcessIo {
  return {
    stdin: stdin ? streams.stdin : undefined,
    stdout: (bytes) => streams.write(1, bytes),
    stderr: (bytes) => streams.write(2, bytes),
  };
}
