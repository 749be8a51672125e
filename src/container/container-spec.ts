import { invalidArgument, SlipwayError } from '../base/errors.ts';
import type { Mount } from '../kernel/mount.ts';
import { defaultCapabilities, grantableCapabilities } from '../runtime/capabilities.ts';
import type { ContainerSpec, ExecSpec, ProcessUser } from '../runtime/runtime.ts';
import { runtimeMounts } from './container-mounts.ts';
import type { ContainerRecord, HostConfig } from './container-record.ts';
import type { ExecConfig } from './execs.ts';

/** The runtime's view of a container. */
export function containerSpec(
  record: ContainerRecord,
  rootfs: readonly Mount[],
  user: ProcessUser,
  size: { readonly rows: number; readonly columns: number } | undefined,
): ContainerSpec {
  const { config, hostConfig } = record;
  const args = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (args.length === 0)
    throw invalidArgument('no command specified', {
      hint: 'give one after the image, or set CMD or ENTRYPOINT in the Dockerfile',
    });
  const securityOptions = hostConfig.SecurityOpt ?? [];
  return {
    id: record.id,
    rootfs,
    readonlyRootfs: hostConfig.ReadonlyRootfs === true,
    args,
    env: environment(record),
    cwd: config.WorkingDir || '/',
    user,
    hostname: config.Hostname || record.id.slice(0, 12),
    mounts: runtimeMounts(record.mounts),
    network: networkOf(hostConfig),
    terminal: config.Tty ? (size ?? { rows: 24, columns: 80 }) : undefined,
    capabilities: capabilitiesOf(hostConfig),
    privileged: hostConfig.Privileged === true,
    noNewPrivileges: securityOptions.some((option) => /^no-new-privileges([:=]true)?$/.test(option)),
    seccomp: securityOptions.some((option) => /^seccomp[:=]unconfined$/.test(option)) ? 'unconfined' : 'default',
    ulimits: (hostConfig.Ulimits ?? []).map(({ Name, Soft, Hard }) => ({ name: Name, soft: Soft, hard: Hard })),
    extraHosts: hostConfig.ExtraHosts ?? [],
    sysctls: hostConfig.Sysctls ?? {},
    ...(hostConfig.ShmSize ? { shmSize: hostConfig.ShmSize } : {}),
    ...resourcesOf(hostConfig),
  };
}

/** The runtime's view of a further process in it. */
export function execSpec(
  id: string,
  config: ExecConfig,
  record: ContainerRecord,
  user: ProcessUser,
  size: { readonly rows: number; readonly columns: number } | undefined,
): ExecSpec {
  const env = config.Env ?? [];
  const isGiven = (each: string) => env.some((own) => own.startsWith(each.slice(0, each.indexOf('=') + 1)));
  const terminal = config.Tty && !env.some((each) => each.startsWith('TERM=')) ? ['TERM=xterm'] : [];
  return {
    id,
    args: config.Cmd,
    env: [
      ...environment(record).filter((each) => !isGiven(each) && !(config.Tty && each.startsWith('TERM='))),
      ...terminal,
      ...env,
    ],
    cwd: config.WorkingDir || record.config.WorkingDir || '/',
    user,
    terminal: config.Tty ? (size ?? { rows: 24, columns: 80 }) : undefined,
    privileged: config.Privileged === true,
  };
}

/** docker adds what a program expects of a login. */
function environment({ config, id }: ContainerRecord): string[] {
  const given = config.Env ?? [];
  const has = (name: string) => given.some((each) => each.startsWith(`${name}=`));
  return [
    ...(has('PATH') ? [] : ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']),
    ...(has('HOSTNAME') ? [] : [`HOSTNAME=${config.Hostname || id.slice(0, 12)}`]),
    ...(config.Tty && !has('TERM') ? ['TERM=xterm'] : []),
    ...given,
  ];
}

function networkOf({ NetworkMode: mode = 'default' }: HostConfig): ContainerSpec['network'] {
  if (mode === 'none') return 'none';
  if (mode === 'host' || mode === 'default' || mode === 'bridge') return 'host';
  throw new SlipwayError('unimplemented', `cannot use network ${JSON.stringify(mode)}`, { hint: 'want host or none' });
}

function capabilitiesOf({ Privileged, CapAdd, CapDrop }: HostConfig): readonly string[] {
  const all = grantableCapabilities();
  const name = (text: string) => `CAP_${text.toUpperCase().replace(/^CAP_/, '')}`;
  const drop = (CapDrop ?? []).map(name);
  const add = (CapAdd ?? []).map(name);
  for (const each of [...drop, ...add]) {
    if (each !== 'CAP_ALL' && !all.includes(each)) throw invalidArgument(`invalid capability: ${JSON.stringify(each)}`);
  }
  const base = Privileged || add.includes('CAP_ALL') ? all : drop.includes('CAP_ALL') ? [] : defaultCapabilities;
  return [...new Set([...base.filter((each) => !drop.includes(each)), ...add.filter((each) => each !== 'CAP_ALL')])];
}

function resourcesOf(config: HostConfig): Pick<ContainerSpec, 'resources'> {
  const some = (key: string, value: number | null | undefined) =>
    value !== undefined && value !== null && value > 0 ? { [key]: value } : {};
  const period = config.NanoCpus ? { cpuPeriod: 100_000, cpuQuota: Math.round(config.NanoCpus / 10_000) } : {};
  const resources = {
    ...some('memory', config.Memory),
    ...some('memorySwap', config.MemorySwap),
    ...some('cpuShares', config.CpuShares),
    ...some('cpuQuota', config.CpuQuota),
    ...some('cpuPeriod', config.CpuPeriod),
    ...some('pids', config.PidsLimit),
    ...(config.CpusetCpus ? { cpusetCpus: config.CpusetCpus } : {}),
    ...period,
  };
  return Object.keys(resources).length > 0 ? { resources } : {};
}
