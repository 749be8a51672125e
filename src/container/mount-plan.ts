import { posix } from 'node:path';
import { invalidArgument, SlipwayError } from '../base/errors.ts';
import type { ContainerConfig, HostConfig, MountRequest } from './container-record.ts';
import { checkVolumeName } from './volumes.ts';

/** A mount that a container wants, before its volume exists. */
export interface PlannedMount {
  readonly type: 'bind' | 'volume' | 'tmpfs';
  /** A directory of the host, a volume's name, or nothing: an anonymous volume, or tmpfs. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** As the user wrote it behind the second colon. */
  readonly mode: string;
  readonly propagation: string;
  /** A new volume does not start with the image's files. */
  readonly noCopy: boolean;
  /** A missing directory of the host is made. */
  readonly makeSource: boolean;
  readonly nonRecursive: boolean;
  /** A part of the volume. */
  readonly subpath: string;
  /** Options of tmpfs. */
  readonly options: readonly string[];
}

const plain = {
  source: '',
  readOnly: false,
  mode: '',
  propagation: '',
  noCopy: false,
  makeSource: false,
  nonRecursive: false,
  subpath: '',
  options: [],
} as const;

/** All mounts that `-v`, `--mount`, `--tmpfs` and the image's VOLUME ask for. Throws invalid-argument in docker's words. */
export function planMounts(
  { Volumes }: Pick<ContainerConfig, 'Volumes'>,
  { Binds, Mounts, Tmpfs }: Pick<HostConfig, 'Binds' | 'Mounts' | 'Tmpfs'>,
): PlannedMount[] {
  const given = [
    ...(Binds ?? []).map(readBind),
    ...(Mounts ?? []).map(readMountRequest),
    ...Object.entries(Tmpfs ?? {}).map(
      ([target, options]): PlannedMount => ({
        ...plain,
        type: 'tmpfs',
        target: targetOf(target),
        options: tmpfsOptions(options.split(',').filter((option) => option !== '')),
      }),
    ),
  ];
  const taken = new Set<string>();
  for (const { target } of given) {
    if (taken.has(target)) throw invalidArgument(`Duplicate mount point: ${target}`);
    taken.add(target);
  }
  const fromImage = Object.keys(Volumes ?? {})
    .map((target) => targetOf(target))
    .filter((target) => !taken.has(target))
    .map((target): PlannedMount => ({ ...plain, type: 'volume', target }));
  return [...given, ...fromImage];
}

const propagations = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];
/** Labels and consistency mean nothing here, and are no mistake. */
const meaningless = ['z', 'Z', 'consistent', 'cached', 'delegated'];

/** `source:target[:mode,…]`. */
function readBind(text: string): PlannedMount {
  const [source = '', target, mode = '', ...more] = text.split(':');
  if (source === '' || !target || more.length > 0) throw invalidArgument(`invalid volume specification: '${text}'`);
  const isBind = source.startsWith('/');
  if (!isBind) checkVolumeName(source);
  const words = mode.split(',').filter((word) => word !== '');
  for (const word of words) {
    const known = word === 'ro' || word === 'rw' || (isBind ? propagations.includes(word) : word === 'nocopy');
    if (!known && !meaningless.includes(word)) throw invalidArgument(`invalid mode: ${mode}`);
  }
  return {
    ...plain,
    type: isBind ? 'bind' : 'volume',
    source: isBind ? posix.normalize(source) : source,
    target: targetOf(target, text),
    readOnly: words.includes('ro'),
    mode,
    propagation: words.find((word) => propagations.includes(word)) ?? '',
    noCopy: words.includes('nocopy'),
    makeSource: isBind,
  };
}

function readMountRequest(mount: MountRequest): PlannedMount {
  const target = targetOf(mount.Target ?? '');
  const source = mount.Source ?? '';
  const shared = { ...plain, target, readOnly: mount.ReadOnly === true };
  switch (mount.Type) {
    case 'bind':
      if (!source.startsWith('/'))
        throw invalidMount('bind', `invalid mount path: '${source}' mount path must be absolute`);
      return {
        ...shared,
        type: 'bind',
        source: posix.normalize(source),
        propagation: mount.BindOptions?.Propagation ?? '',
        nonRecursive: mount.BindOptions?.NonRecursive === true,
        makeSource: mount.BindOptions?.CreateMountpoint === true,
      };
    case 'volume': {
      if (source !== '') checkVolumeName(source);
      const driver = mount.VolumeOptions?.DriverConfig;
      checkDriver(driver?.Name ?? '', driver?.Options ?? {});
      return {
        ...shared,
        type: 'volume',
        source,
        noCopy: mount.VolumeOptions?.NoCopy === true,
        subpath: mount.VolumeOptions?.Subpath ?? '',
      };
    }
    case 'tmpfs': {
      const { SizeBytes: size, Mode: mode } = mount.TmpfsOptions ?? {};
      return {
        ...shared,
        type: 'tmpfs',
        options: tmpfsOptions([
          ...(size ? [`size=${size}`] : []),
          ...(mode ? [`mode=${mode.toString(8)}`] : []),
          ...(shared.readOnly ? ['ro'] : []),
        ]),
      };
    }
    default:
      throw new SlipwayError('unimplemented', `cannot mount type ${JSON.stringify(mount.Type ?? '')}`, {
        hint: 'want bind, volume or tmpfs',
      });
  }
}

/** Only plain directories serve as volumes. Throws not-found for plug-ins, unimplemented for options. */
export function checkDriver(driver: string, options: Readonly<Record<string, string>>): void {
  if (driver !== '' && driver !== 'local')
    throw new SlipwayError('not-found', `error looking up volume plugin ${driver}: plugin "${driver}" not found`);
  if (Object.keys(options).length > 0)
    throw new SlipwayError('unimplemented', 'options of the local volume driver are not supported yet', {
      hint: 'bind a directory that you have mounted yourself',
    });
}

function targetOf(text: string, whole = text): string {
  if (!posix.isAbsolute(text)) throw invalidArgument(`invalid mount path: '${text}' mount path must be absolute`);
  const target = posix.normalize(text).replace(/(?<=.)\/+$/, '');
  if (target === '/') throw invalidArgument(`invalid volume specification: '${whole}': destination can't be '/'`);
  return target;
}

function invalidMount(type: string, why: string): SlipwayError {
  return invalidArgument(`invalid mount config for type "${type}": ${why}`);
}

/** docker's defaults, each of which its opposite takes back. */
function tmpfsOptions(given: readonly string[]): string[] {
  const opposites: Readonly<Record<string, string>> = { exec: 'noexec', suid: 'nosuid', dev: 'nodev' };
  const taken = new Set(given.map((option) => opposites[option]));
  const words = given.filter((option) => opposites[option] === undefined && option !== 'rw');
  return [...['noexec', 'nosuid', 'nodev'].filter((option) => !taken.has(option) && !words.includes(option)), ...words];
}
