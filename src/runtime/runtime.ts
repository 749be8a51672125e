import type { Mount } from '../kernel/mount.ts';

/** One mount inside the container, over its root file system, in order. Targets are resolved inside the rootfs. */
export interface ContainerMount extends Mount {
  /** Absolute path inside the container. */
  readonly target: string;
  /** A path below the mounted source that is meant (`--mount source=`); resolved inside it, never outside. */
  readonly selector?: string;
}

export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids?: readonly number[];
}

/** docker's words for who shares what with the host: see `docker run --network|--pid|--ipc|--uts`. */
export interface ContainerSpec {
  /** Unique among live containers of this daemon; used for the runtime's state and the cgroup. */
  readonly id: string;
  /** Mounts that show the root file system; applied to one target in order. */
  readonly rootfs: readonly Mount[];
  readonly readonlyRootfs?: boolean;
  readonly args: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: ProcessUser;
  readonly hostname?: string;
  readonly mounts: readonly ContainerMount[];
  /** `host` shares the host's network; `none` gives loopback only; a path joins that network namespace. */
  readonly network: 'host' | 'none' | { readonly path: string };
  /** A pseudo terminal instead of three pipes. */
  readonly terminal?: { readonly rows: number; readonly columns: number } | undefined;
  /** docker's defaults when absent. Names as in capabilities(7), with CAP_. */
  readonly capabilities?: readonly string[];
  /** All capabilities, all devices, no seccomp, no masked paths (`RUN --security=insecure`, `run --privileged`). */
  readonly privileged?: boolean;
  readonly noNewPrivileges?: boolean;
  readonly seccomp?: 'default' | 'unconfined';
  readonly ulimits?: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  /** Bytes, CPU share of quota/period in microseconds, processes; needs a host whose cgroups can do it. */
  readonly resources?: {
    readonly memory?: number;
    readonly memorySwap?: number;
    readonly cpuShares?: number;
    readonly cpuQuota?: number;
    readonly cpuPeriod?: number;
    readonly cpusetCpus?: string;
    readonly cpusetMems?: string;
    readonly pids?: number;
  };
  readonly cgroupParent?: string;
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly shmSize?: number;
  /** Extra lines for /etc/hosts as `name:ip`; the runtime writes /etc/hosts, /etc/hostname and /etc/resolv.conf as mounts. */
  readonly extraHosts?: readonly string[];
}

/** A further process in a container that runs; what is not said here is as for the container's own. */
export interface ExecSpec {
  /** Unique among the live ones of this daemon. */
  readonly id: string;
  readonly args: readonly string[];
  /** `NAME=value`, all of them. */
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: ProcessUser;
  readonly terminal?: ContainerSpec['terminal'];
  readonly privileged?: boolean;
}

export interface ProcessIo {
  /** Bytes for standard input; absent means /dev/null. */
  readonly stdin?: AsyncIterable<Uint8Array> | undefined;
  /** Called for each piece of output in order; a returned promise holds the process back (lossless under back-pressure). */
  readonly stdout: (chunk: Uint8Array) => void | Promise<void>;
  readonly stderr: (chunk: Uint8Array) => void | Promise<void>;
}

export interface ExitStatus {
  /** As a shell gives it: the exit code, or 128 + the signal's number. */
  readonly code: number;
  /** The kernel's out-of-memory killer ended it. */
  readonly outOfMemory: boolean;
}

export interface RunningProcess {
  /** Process id of the container's first process in the daemon's pid namespace. */
  readonly pid: number;
  readonly exited: Promise<ExitStatus>;
  /** Signal name with SIG, to the first process. */
  kill(signal: string): Promise<void>;
  resize(rows: number, columns: number): void;
}

/**
 * Runs processes over mounts. `start` resolves when the process runs; its failure to start throws: not-found when the
 * executable is missing (docker's exit 127), permission-denied when it cannot be executed (126), else the code that fits. When `signal`
 * aborts, the whole container is killed. After `exited` resolves nothing of the container is left: no process, mount,
 * cgroup, state directory.
 */
export interface Runtime {
  readonly name: string;
  start(spec: ContainerSpec, io: ProcessIo, options?: { readonly signal?: AbortSignal }): Promise<RunningProcess>;
  /** Likewise for a further process in a container of this runtime; it ends with the container. Throws failed-precondition when that does not run. */
  exec(container: string, spec: ExecSpec, io: ProcessIo): Promise<RunningProcess>;
  /** What `info` tells: binary, version, what was chosen and why, warnings such as missing fixes. */
  describe(): {
    readonly binary: string;
    readonly version: string;
    readonly reason: string;
    readonly warnings: readonly string[];
  };
  close(): Promise<void>;
}
