import { readFileSync } from 'node:fs';
import { parseBytes } from '../../base/parse-quantity.ts';
import { type FlagReader, UsageError } from '../flags.ts';
import { keyValues } from './key-values.ts';
import { readMount, readTmpfs } from './mounts.ts';
import type { PortOptions } from './ports.ts';

export interface HostConfigParts {
  readonly binds: readonly string[];
  readonly bindings: PortOptions['bindings'];
  readonly network: string | undefined;
}

/** The `HostConfig` that the flags mean: what concerns this machine rather than the image. */
export function hostConfig(flags: FlagReader, { binds, bindings, network }: HostConfigParts): object {
  return {
    Binds: binds.length > 0 ? binds : null,
    NetworkMode: network ?? 'default',
    PortBindings: bindings,
    RestartPolicy: restartPolicy(flags.text('restart') ?? 'no'),
    AutoRemove: flags.boolean('rm'),
    LogConfig: { Type: flags.text('log-driver') ?? '', Config: keyValues(flags.list('log-opt')) },
    ...texts(flags),
    ...lists(flags),
    ...numbers(flags),
    ...sizes(flags),
    ...mounts(flags),
    ...devices(flags),
    Privileged: flags.boolean('privileged'),
    PublishAllPorts: flags.boolean('publish-all'),
    ReadonlyRootfs: flags.boolean('read-only'),
    OomKillDisable: flags.boolean('oom-kill-disable'),
    Ulimits: ulimits(flags.list('ulimit')),
    ...(flags.has('init') ? { Init: flags.boolean('init') } : {}),
    ...(flags.has('annotation') ? { Annotations: keyValues(flags.list('annotation')) } : {}),
    ...(flags.has('storage-opt') ? { StorageOpt: keyValues(flags.list('storage-opt')) } : {}),
    ...(flags.has('sysctl') ? { Sysctls: keyValues(flags.list('sysctl')) } : {}),
  };
}

function texts(flags: FlagReader): object {
  const runtime = flags.text('runtime');
  const of = (name: string) => flags.text(name) ?? '';
  return {
    VolumeDriver: of('volume-driver'),
    CgroupnsMode: of('cgroupns'),
    CgroupParent: of('cgroup-parent'),
    CpusetCpus: of('cpuset-cpus'),
    CpusetMems: of('cpuset-mems'),
    IpcMode: of('ipc'),
    Isolation: of('isolation'),
    PidMode: of('pid'),
    UsernsMode: of('userns'),
    UTSMode: of('uts'),
    ...(runtime === undefined ? {} : { Runtime: runtime }),
  };
}

function lists(flags: FlagReader): object {
  const of = (name: string) => (flags.has(name) ? flags.list(name) : null);
  return {
    VolumesFrom: of('volumes-from'),
    CapAdd: capabilities(flags.list('cap-add')),
    CapDrop: capabilities(flags.list('cap-drop')),
    Dns: flags.list('dns'),
    DnsOptions: flags.list('dns-option'),
    DnsSearch: flags.list('dns-search'),
    ExtraHosts: flags.has('add-host') ? flags.list('add-host').map(extraHost) : null,
    GroupAdd: of('group-add'),
    Links: of('link'),
    SecurityOpt: flags.has('security-opt') ? flags.list('security-opt').map(securityOption) : null,
    DeviceCgroupRules: of('device-cgroup-rule'),
  };
}

function numbers(flags: FlagReader): object {
  const of = (name: string) => flags.number(name) ?? 0;
  return {
    BlkioWeight: of('blkio-weight'),
    CpuPeriod: of('cpu-period'),
    CpuQuota: of('cpu-quota'),
    CpuRealtimePeriod: of('cpu-rt-period'),
    CpuRealtimeRuntime: of('cpu-rt-runtime'),
    CpuShares: of('cpu-shares'),
    NanoCpus: Math.round(of('cpus') * 1e9),
    MemorySwappiness: flags.number('memory-swappiness') ?? -1,
    OomScoreAdj: of('oom-score-adj'),
    PidsLimit: of('pids-limit'),
  };
}

function sizes(flags: FlagReader): object {
  const of = (name: string) => {
    const text = flags.text(name);
    return text === undefined ? 0 : text === '-1' ? -1 : parseBytes(text);
  };
  return {
    Memory: of('memory'),
    MemoryReservation: of('memory-reservation'),
    MemorySwap: of('memory-swap'),
    ShmSize: of('shm-size'),
  };
}

function mounts(flags: FlagReader): object {
  const tmpfs = readTmpfs(flags.list('tmpfs'));
  return {
    ...(flags.has('mount') ? { Mounts: flags.list('mount').map(readMount) } : {}),
    ...(tmpfs ? { Tmpfs: tmpfs } : {}),
  };
}

function devices(flags: FlagReader): object {
  const rate = (name: string, read: (text: string) => number) =>
    flags.list(name).map((word) => {
      const colon = word.lastIndexOf(':');
      if (colon <= 0) throw new UsageError(`bad format: ${word}: want device:rate`, 125);
      return { Path: word.slice(0, colon), Rate: read(word.slice(colon + 1)) };
    });
  return {
    Devices: flags.list('device').map(deviceMapping),
    BlkioDeviceReadBps: rate('device-read-bps', parseBytes),
    BlkioDeviceWriteBps: rate('device-write-bps', parseBytes),
    BlkioDeviceReadIOps: rate('device-read-iops', Number),
    BlkioDeviceWriteIOps: rate('device-write-iops', Number),
    BlkioWeightDevice: rate('blkio-weight-device', Number).map(({ Path, Rate }) => ({ Path, Weight: Rate })),
    ...(flags.has('gpus') ? { DeviceRequests: [gpuRequest(flags.text('gpus') ?? '')] } : {}),
  };
}

/** `/dev/x[:/dev/y][:rwm]`. */
function deviceMapping(word: string): object {
  const [host = '', second, third] = word.split(':');
  const secondIsRights = second !== undefined && third === undefined && /^[rwm]{1,3}$/.test(second);
  return {
    PathOnHost: host,
    PathInContainer: second === undefined || secondIsRights ? host : second,
    CgroupPermissions: third ?? (secondIsRights ? second : 'rwm'),
  };
}

/** `all`, a number, or `device=0,1`. */
function gpuRequest(text: string): object {
  const ids = /^"?device=(.+?)"?$/.exec(text)?.[1]?.split(',');
  const count = ids ? 0 : text === 'all' ? -1 : Number(text);
  if (Number.isNaN(count))
    throw new UsageError(
      `invalid argument ${JSON.stringify(text)} for "--gpus" flag: want all, a number or device=…`,
      125,
    );
  return { Driver: '', Count: count, DeviceIDs: ids ?? null, Capabilities: [['gpu']], Options: {} };
}

/** The API's form has the prefix. */
function capabilities(words: readonly string[]): readonly string[] | null {
  if (words.length === 0) return null;
  return words.map((word) => {
    const name = word.toUpperCase();
    return name === 'ALL' || name.startsWith('CAP_') ? name : `CAP_${name}`;
  });
}

function extraHost(word: string): string {
  const match = /^([^:=]+)[:=](.+)$/.exec(word);
  if (!match)
    throw new UsageError(
      `invalid argument ${JSON.stringify(word)} for "--add-host" flag: bad format for add-host`,
      125,
    );
  return `${match[1]}:${match[2]?.replace(/^\[(.*)\]$/, '$1')}`;
}

/** A seccomp profile is read here: the daemon may not see this file. */
function securityOption(word: string): string {
  const file = /^seccomp[=:](.+)$/.exec(word)?.[1];
  if (file === undefined || file === 'unconfined' || file === 'builtin') return word;
  return `seccomp=${JSON.stringify(JSON.parse(readFileSync(file, 'utf8')))}`;
}

function restartPolicy(text: string): object {
  const match = /^(no|always|unless-stopped|on-failure)(?::(\d+))?$/.exec(text || 'no');
  if (!match || (match[2] !== undefined && match[1] !== 'on-failure'))
    throw new UsageError(
      `invalid restart policy: ${JSON.stringify(text)}: want no, on-failure[:n], always or unless-stopped`,
      125,
    );
  return { Name: match[1], MaximumRetryCount: Number(match[2] ?? 0) };
}

function ulimits(words: readonly string[]): object[] {
  const limits = words.map((word) => {
    const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(word);
    if (!match)
      throw new UsageError(`invalid argument ${JSON.stringify(word)} for "--ulimit" flag: want name=soft[:hard]`, 125);
    return { Name: match[1] ?? '', Hard: Number(match[3] ?? match[2]), Soft: Number(match[2]) };
  });
  return limits.toSorted((a, b) => (a.Name < b.Name ? -1 : 1));
}
