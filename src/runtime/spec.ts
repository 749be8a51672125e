import { invalidArgument } from '../base/errors.ts';
import type { Mount } from '../kernel/mount.ts';
import { defaultCapabilities, grantableCapabilities, isCapability } from './capabilities.ts';
import { defaultDeviceRules, hostDevices } from './devices.ts';
import type { ContainerSpec, ExecSpec } from './runtime.ts';
import { seccompProfile } from './seccomp-profile.ts';

/** What the runtime decided about a container and the spec does not say. */
export interface SpecPlace {
  /** Absolute path of the mounted root file system. */
  readonly rootfs: string;
  readonly cgroupsPath: string;
  /** Whether the runtime can filter access to devices here; where not, none can be made nor opened outside /dev. */
  readonly filtersDevices: boolean;
  /** Annotations that go with a system call filter. */
  readonly annotationsFor?: ((seccomp: object | undefined) => object | undefined) | undefined;
  /** Mounts that must come after /proc, /dev and /sys, in order. */
  readonly lateMounts: readonly (Mount & { readonly target: string })[];
}

/** The config.json for a container, with docker's defaults (OCI runtime-spec, config.md and config-linux.md). */
export function ociConfig(spec: ContainerSpec, place: SpecPlace): object {
  const capabilities = capabilitiesOf(spec, place);
  const late = place.lateMounts.map(({ target, ...mount }) => ({ destination: target, ...mount }));
  const seccomp = spec.privileged || spec.seccomp === 'unconfined' ? undefined : seccompProfile(capabilities);
  const annotations = place.annotationsFor?.(seccomp);
  return {
    ociVersion: '1.0.2',
    ...(annotations ? { annotations } : {}),
    root: { path: place.rootfs, readonly: spec.readonlyRootfs ?? false },
    ...(spec.hostname === undefined ? {} : { hostname: spec.hostname }),
    process: processOf(spec, capabilities),
    mounts: [...systemMounts(spec), ...late],
    linux: {
      namespaces: namespacesOf(spec),
      cgroupsPath: place.cgroupsPath,
      resources: resourcesOf(spec, place),
      ...(spec.sysctls ? { sysctl: spec.sysctls } : {}),
      ...(spec.privileged ? { devices: hostDevices() } : { maskedPaths, readonlyPaths }),
      ...(seccomp ? { seccomp } : {}),
    },
  };
}

function capabilitiesOf(spec: ContainerSpec, { filtersDevices }: Pick<SpecPlace, 'filtersDevices'>): readonly string[] {
  for (const name of spec.capabilities ?? []) {
    if (!isCapability(name)) throw invalidArgument(`cannot grant ${JSON.stringify(name)}: it is no capability`);
  }
  const grantable = grantableCapabilities();
  if (spec.privileged) return grantable;
  const refused = filtersDevices ? '' : 'CAP_MKNOD';
  return (spec.capabilities ?? defaultCapabilities).filter((name) => grantable.includes(name) && name !== refused);
}

/** The process.json of a further process in a container (runtime-spec, config.md#process). */
export function execProcess(spec: ContainerSpec, exec: ExecSpec, filtersDevices: boolean): object {
  const { terminal: _, ...rest } = spec;
  const joined = { ...rest, ...exec, privileged: exec.privileged === true || spec.privileged === true };
  return processOf(joined, capabilitiesOf(joined, { filtersDevices }));
}

function processOf(spec: ContainerSpec, capabilities: readonly string[]): object {
  const { uid, gid, additionalGids = [] } = spec.user;
  const own = uid === 0 ? capabilities : [];
  return {
    terminal: spec.terminal !== undefined,
    ...(spec.terminal ? { consoleSize: { height: spec.terminal.rows, width: spec.terminal.columns } } : {}),
    user: { uid, gid, ...(additionalGids.length > 0 ? { additionalGids } : {}) },
    args: spec.args,
    env: spec.env,
    cwd: spec.cwd,
    // Inheritable and ambient stay empty: a file with inheritable capabilities must not raise its user (CVE-2022-24769).
    capabilities: { bounding: capabilities, effective: own, permitted: own, inheritable: [], ambient: [] },
    noNewPrivileges: spec.noNewPrivileges ?? false,
    ...(spec.ulimits && spec.ulimits.length > 0 ? { rlimits: spec.ulimits.map(rlimitOf) } : {}),
  };
}

/** RLIM_INFINITY is 2^64-1, which no number of JavaScript holds; this one is as good as none. */
const unlimited = Number.MAX_SAFE_INTEGER;

/** docker writes -1 for no limit. */
function rlimitOf({ name, soft, hard }: { name: string; soft: number; hard: number }): object {
  const type = `RLIMIT_${name.replace(/^RLIMIT_/i, '').toUpperCase()}`;
  return { type, soft: soft < 0 ? unlimited : soft, hard: hard < 0 ? unlimited : hard };
}

function namespacesOf({ network }: ContainerSpec): object[] {
  const own = ['pid', 'mount', 'ipc', 'uts', 'cgroup'].map((type) => ({ type }));
  if (network === 'host') return own;
  return [...own, network === 'none' ? { type: 'network' } : { type: 'network', path: network.path }];
}

function systemMounts({ privileged, shmSize = 64 * 1024 * 1024 }: ContainerSpec): object[] {
  const access = privileged ? 'rw' : 'ro';
  const plain = ['nosuid', 'noexec', 'nodev'];
  const mount = (destination: string, type: string, options: string[]) => ({
    destination,
    type,
    source: type,
    options,
  });
  return [
    mount('/proc', 'proc', plain),
    mount('/dev', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    mount('/dev/pts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5']),
    mount('/sys', 'sysfs', [...plain, access]),
    mount('/sys/fs/cgroup', 'cgroup', [...plain, 'relatime', access]),
    mount('/dev/mqueue', 'mqueue', plain),
    mount('/dev/shm', 'tmpfs', [...plain, 'mode=1777', `size=${shmSize}`]),
  ];
}

/** docker's, which hold the host's secrets or let a process disturb it. */
const maskedPaths = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

function resourcesOf({ privileged, resources = {} }: ContainerSpec, { filtersDevices }: SpecPlace): object {
  const memory = defined({ limit: resources.memory, swap: resources.memorySwap });
  const cpu = defined({
    shares: resources.cpuShares,
    quota: resources.cpuQuota,
    period: resources.cpuPeriod,
    cpus: resources.cpusetCpus,
    mems: resources.cpusetMems,
  });
  return {
    ...(filtersDevices ? { devices: privileged ? [{ allow: true, access: 'rwm' }] : defaultDeviceRules } : {}),
    ...(memory ? { memory } : {}),
    ...(cpu ? { cpu } : {}),
    ...(resources.pids === undefined ? {} : { pids: { limit: resources.pids } }),
  };
}

function defined(values: Record<string, unknown>): object | undefined {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}
