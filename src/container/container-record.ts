/** Docker's `Config` and `HostConfig`, kept as the client sent them; only what is used is named here. */
export interface ContainerConfig {
  readonly Hostname?: string;
  readonly User?: string;
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  readonly Tty?: boolean;
  readonly OpenStdin?: boolean;
  readonly StdinOnce?: boolean;
  readonly Env?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly Image?: string;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string;
  readonly StopTimeout?: number | null;
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Volumes?: Readonly<Record<string, object>> | null;
}

export interface HostConfig {
  readonly AutoRemove?: boolean;
  readonly Binds?: readonly string[] | null;
  readonly NetworkMode?: string;
  readonly Privileged?: boolean;
  readonly ReadonlyRootfs?: boolean;
  readonly CapAdd?: readonly string[] | null;
  readonly CapDrop?: readonly string[] | null;
  readonly SecurityOpt?: readonly string[] | null;
  readonly ExtraHosts?: readonly string[] | null;
  readonly Tmpfs?: Readonly<Record<string, string>> | null;
  readonly ShmSize?: number;
  readonly Memory?: number;
  readonly MemorySwap?: number;
  readonly NanoCpus?: number;
  readonly CpuShares?: number;
  readonly CpuQuota?: number;
  readonly CpuPeriod?: number;
  readonly CpusetCpus?: string;
  readonly PidsLimit?: number | null;
  readonly Ulimits?: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[] | null;
  readonly Sysctls?: Readonly<Record<string, string>> | null;
  readonly GroupAdd?: readonly string[] | null;
  readonly CgroupParent?: string;
}

export type ContainerStatus = 'created' | 'running' | 'exited' | 'removing';

export interface ContainerState {
  readonly status: ContainerStatus;
  readonly pid: number;
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  readonly error: string;
  /** ISO times; docker's zero time when it has not happened. */
  readonly startedAt: string;
  readonly finishedAt: string;
}

export const zeroTime = '0001-01-01T00:00:00Z';

/** A container as the table keeps it. */
export interface ContainerRecord {
  /** 64 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly created: string;
  /** Digest of the image's config. */
  readonly imageId: string;
  /** The image as the user named it. */
  readonly image: string;
  /** Config with the image's merged in. */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  /** The writable layer, an active one of the snapshots. */
  readonly layer: string;
  readonly state: ContainerState;
}
