import { parseDuration } from '../../base/parse-quantity.ts';
import { type FlagReader, UsageError } from '../flags.ts';
import { hostConfig } from './host-config.ts';
import { environmentEntry, keyValues, readLines } from './key-values.ts';
import { readVolumes } from './mounts.ts';
import { readPorts } from './ports.ts';

/** The body of `POST /containers/create` that the flags of `run` and `create` mean (docker/cli, opts to Config and HostConfig). */
export function createBody(image: string, command: readonly string[], flags: FlagReader): object {
  const volumes = readVolumes(flags.list('volume'));
  const ports = readPorts(flags.list('publish'), flags.list('expose'));
  const networks = [...flags.list('network'), ...flags.list('net')];
  return {
    ...streams(flags),
    Hostname: flags.text('hostname') ?? '',
    Domainname: flags.text('domainname') ?? '',
    User: flags.text('user') ?? '',
    ExposedPorts: ports.exposed,
    Tty: flags.boolean('tty'),
    Env: [
      ...flags
        .list('env-file')
        .flatMap(readLines)
        .flatMap((line) => environmentEntry(line)),
      ...flags.list('env').flatMap((word) => (word.includes('=') ? [word] : environmentOrUnset(word))),
    ],
    Cmd: command.length > 0 ? command : null,
    Entrypoint: flags.has('entrypoint') ? [flags.text('entrypoint') ?? ''] : null,
    Image: image,
    Volumes: Object.fromEntries(volumes.anonymous.map((target) => [target, {}])),
    WorkingDir: flags.text('workdir') ?? '',
    Labels: keyValues([...flags.list('label-file').flatMap(readLines), ...flags.list('label')]),
    ...(flags.has('stop-signal') ? { StopSignal: flags.text('stop-signal') } : {}),
    ...(flags.has('stop-timeout') ? { StopTimeout: flags.number('stop-timeout') } : {}),
    ...healthcheck(flags),
    HostConfig: hostConfig(flags, { binds: volumes.binds, bindings: ports.bindings, network: networks[0] }),
    NetworkingConfig: { EndpointsConfig: endpoints(flags, networks) },
  };
}

/** A name without a value of the caller's unsets the image's. */
function environmentOrUnset(word: string): string[] {
  const found = environmentEntry(word);
  return found.length > 0 ? found : [word];
}

function streams(flags: FlagReader): object {
  const interactive = flags.boolean('interactive');
  const named = flags.list('attach').map((name) => name.toLowerCase());
  const wrong = named.find((name) => !['stdin', 'stdout', 'stderr'].includes(name));
  if (wrong !== undefined)
    throw new UsageError(
      `invalid argument ${JSON.stringify(wrong)} for "-a, --attach" flag: want stdin, stdout or stderr`,
      125,
    );
  const detached = flags.boolean('detach');
  const attached = (name: string, otherwise: boolean) =>
    !detached && (named.length > 0 ? named.includes(name) : otherwise);
  const stdin = attached('stdin', interactive);
  return {
    AttachStdin: stdin,
    AttachStdout: attached('stdout', true),
    AttachStderr: attached('stderr', true),
    OpenStdin: interactive,
    StdinOnce: interactive && stdin,
  };
}

function healthcheck(flags: FlagReader): object {
  if (flags.boolean('no-healthcheck')) return { Healthcheck: { Test: ['NONE'] } };
  const spans = ['interval', 'timeout', 'start-period', 'start-interval'] as const;
  const keys = {
    interval: 'Interval',
    timeout: 'Timeout',
    'start-period': 'StartPeriod',
    'start-interval': 'StartInterval',
  };
  const given = spans.filter((name) => flags.has(`health-${name}`));
  const command = flags.text('health-cmd');
  if (given.length === 0 && !command && !flags.has('health-retries')) return {};
  const times = given.map((name) => [keys[name], parseDuration(flags.text(`health-${name}`) ?? '')]);
  const retries = flags.has('health-retries') ? { Retries: flags.number('health-retries') } : {};
  return {
    Healthcheck: { ...(command ? { Test: ['CMD-SHELL', command] } : {}), ...Object.fromEntries(times), ...retries },
  };
}

/** What a container is in its networks; nothing in those of the host or of another container. */
function endpoints(flags: FlagReader, networks: readonly string[]): object {
  const names = networks.length > 0 ? networks : ['default'];
  const [first = ''] = names;
  if (first === 'host' || first === 'none' || first.startsWith('container:')) return {};
  const ip = { ...addressOf('IPv4Address', flags.text('ip')), ...addressOf('IPv6Address', flags.text('ip6')) };
  const aliases = flags.list('network-alias');
  return Object.fromEntries(
    names.map((name, i) => {
      const options = {
        ...(aliases.length > 0 ? { Aliases: aliases } : {}),
        ...addressOf('MacAddress', flags.text('mac-address')),
      };
      return [name, i > 0 ? {} : { ...(Object.keys(ip).length > 0 ? { IPAMConfig: ip } : {}), ...options }];
    }),
  );
}

function addressOf(key: string, value: string | undefined): object {
  return value === undefined ? {} : { [key]: value };
}
