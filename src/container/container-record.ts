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

/** One `--mount`. */
export interface MountRequest {
  readonly Type?: string;
  readonly Source?: string;
  readonly Target?: string;
  readonly ReadOnly?: boolean;
  readonly BindOptions?: {
    readonly Propagation?: string;
    readonly NonRecursive?: boolean;
    readonly CreateMountpoint?: boolean;
  } | null;
  readonly VolumeOptions?: {
    readonly NoCopy?: boolean;
    readonly Subpath?: string;
    readonly DriverConfig?: {
      readonly Name?: string;
      readonly Options?: Readonly<Record<string, string>> | null;
    } | null;
  } | null;
  readonly TmpfsOptions?: { readonly SizeBytes?: number; readonly Mode?: number } | null;
}

export interface HostConfig {
  readonly AutoRemove?: boolean;
  readonly Binds?: readonly string[] | null;
  readonly Mounts?: readonly MountRequest[] | null;
  readonly VolumesFrom?: readonly string[] | null;
  readonly LogConfig?: { readonly Type?: string; readonly Config?: Readonly<Record<string, string>> | null } | null;
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

/** docker's word for a time that has not come. */
export const zeroTime = '0001-01-01T00:00:00Z';

export const createdState: ContainerState = {
  status: 'created',
  pid: 0,
  exitCode: 0,
  outOfMemory: false,
  error: '',
  startedAt: zeroTime,
  finishedAt: zeroTime,
};

/** A mount that a container has. */
export interface MountPoint {
  readonly type: 'bind' | 'volume' | 'tmpfs';
  /** The directory on the host; empty for tmpfs. */
  readonly source: string;
  /** Of the volume. */
  readonly name?: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly mode: string;
  readonly propagation: string;
  readonly noCopy: boolean;
  readonly nonRecursive: boolean;
  readonly subpath: string;
  readonly options: readonly string[];
}

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
  readonly mounts: readonly MountPoint[];
  /** The writable layer, an active one of the snapshots. */
  readonly layer: string;
  readonly state: ContainerState;
}
