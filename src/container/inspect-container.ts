import { networkName } from './container-filters.ts';
import type { ContainerConfig, ContainerRecord, HostConfig, MountPoint } from './container-record.ts';
import { statusText } from './status-text.ts';

/** A row of docker's `GET /containers/json`. `image` is the name, or the id when the name now means another image. */
export function containerSummary(record: ContainerRecord, image: string): object {
  const { id, name, imageId, config, hostConfig, mounts, state, created } = record;
  return {
    Id: id,
    Names: [`/${name}`],
    Image: image,
    ImageID: imageId,
    Command: commandText(config),
    Created: Math.floor(Date.parse(created) / 1000),
    Ports: [],
    Labels: config.Labels ?? {},
    State: state.status,
    Status: statusText(record),
    HostConfig: { NetworkMode: networkName(hostConfig.NetworkMode) },
    NetworkSettings: { Networks: networks(hostConfig) },
    Mounts: mountList(mounts, hostConfig),
  };
}

/** docker quotes arguments with spaces, and does no more. */
function commandText({ Entrypoint, Cmd }: ContainerConfig): string {
  const [program = '', ...args] = [...(Entrypoint ?? []), ...(Cmd ?? [])];
  return [program, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ');
}

/** docker's `GET /containers/{id}/json`. */
export function inspectContainer(record: ContainerRecord, logPath: string): object {
  const { id, name, created, config, hostConfig, imageId, mounts } = record;
  const [path = '', ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  return {
    Id: id,
    Created: created,
    Path: path,
    Args: args,
    State: stateOf(record),
    Image: imageId,
    ResolvConfPath: '',
    HostnamePath: '',
    HostsPath: '',
    LogPath: hostConfig.LogConfig?.Type === 'none' ? '' : logPath,
    Name: `/${name}`,
    RestartCount: 0,
    Driver: 'overlayfs',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: null,
    HostConfig: hostConfigOf(hostConfig),
    GraphDriver: { Data: null, Name: 'overlayfs' },
    Mounts: mountList(mounts, hostConfig),
    Config: configOf(record),
    NetworkSettings: { SandboxID: '', SandboxKey: '', Ports: {}, Networks: networks(hostConfig) },
  };
}

function stateOf({ state }: ContainerRecord): object {
  return {
    Status: state.status,
    Running: state.status === 'running',
    Paused: false,
    Restarting: false,
    OOMKilled: state.outOfMemory,
    Dead: false,
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt,
    FinishedAt: state.finishedAt,
  };
}

/** What clients take for granted, where the request left it out. */
function configOf({ id, config }: ContainerRecord): object {
  const { Volumes, ExposedPorts, ...rest } = config;
  const some = (value: object | null | undefined) => value && Object.keys(value).length > 0;
  return {
    Domainname: '',
    User: '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: [],
    WorkingDir: '',
    OnBuild: null,
    ...rest,
    Hostname: config.Hostname || id.slice(0, 12),
    Volumes: some(Volumes) ? Volumes : null,
    ...(some(ExposedPorts) ? { ExposedPorts } : {}),
    Labels: config.Labels ?? {},
  };
}

function hostConfigOf(hostConfig: HostConfig): object {
  return {
    Binds: null,
    ...hostConfig,
    NetworkMode: networkName(hostConfig.NetworkMode),
    LogConfig: { Type: hostConfig.LogConfig?.Type || 'json-file', Config: hostConfig.LogConfig?.Config ?? {} },
    ShmSize: hostConfig.ShmSize || 64 << 20,
  };
}

function networks(hostConfig: HostConfig): object {
  const empty = { IPAddress: '', Gateway: '', MacAddress: '', GlobalIPv6Address: '', Aliases: null, EndpointID: '' };
  return { [networkName(hostConfig.NetworkMode)]: empty };
}

/** `--tmpfs` shows in HostConfig only. */
function mountList(mounts: readonly MountPoint[], { Tmpfs }: HostConfig): object[] {
  return mounts
    .filter(({ type, target }) => type !== 'tmpfs' || !Object.hasOwn(Tmpfs ?? {}, target))
    .map(({ type, name, source, target, mode, readOnly, propagation }) => ({
      Type: type,
      ...(name === undefined ? {} : { Name: name }),
      Source: source,
      Destination: target,
      ...(type === 'volume' ? { Driver: 'local' } : {}),
      Mode: mode,
      RW: !readOnly,
      Propagation: type === 'bind' ? propagation || 'rprivate' : '',
    }));
}
