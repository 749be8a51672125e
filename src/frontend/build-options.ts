import type { OpMetadata } from '../api/gen/ops_pb.js';
import { invalidArgument } from '../base/errors.ts';
import { type Platform, parsePlatform } from '../oci/platform.ts';
import type { FrontendGateway } from './frontend.ts';
import { readResources } from './resource-options.ts';

/** The frontend's options (reference dockerfile.md §8), read once. */
export interface BuildOptions {
  readonly filename: string;
  readonly target: string | undefined;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
  /** What was asked for; empty means whatever the worker's own platform comes to. */
  readonly platforms: readonly Platform[];
  /** The result is a map by platform even for one. */
  readonly multiPlatform: boolean;
  readonly buildPlatform: Platform;
  /** All stages when true, else those named. */
  readonly noCache: boolean | ReadonlySet<string>;
  readonly resolveMode: string;
  readonly network: 'host' | 'none' | undefined;
  readonly extraHosts: readonly { readonly Host: string; readonly IP: string }[];
  /** Of the sandbox. */
  readonly hostname: string | undefined;
  readonly cgroupParent: string | undefined;
  readonly shmSize: number | undefined;
  readonly ulimits: readonly { readonly Name: string; readonly Soft: bigint; readonly Hard: bigint }[];
  readonly resources: OpMetadata['linuxResources'];
  readonly cacheMountNamespace: string;
  /** Sessions that serve one of the client's directories, by its name. */
  readonly localSessions: ReadonlyMap<string, string>;
  readonly raw: ReadonlyMap<string, string>;
}

export function readBuildOptions(raw: ReadonlyMap<string, string>, gateway: FrontendGateway): BuildOptions {
  const [buildPlatform] = gateway.workerPlatforms;
  if (!buildPlatform) throw invalidArgument('cannot build: the worker names no platform');
  const buildArgs = withPrefix(raw, 'build-arg:');
  const platforms = (raw.get('platform') ?? '')
    .split(',')
    .filter((text) => text.trim() !== '')
    .map((text) => parsePlatform(text.trim()));
  return {
    filename: raw.get('filename') || 'Dockerfile',
    target: raw.get('target') || undefined,
    buildArgs,
    labels: withPrefix(raw, 'label:'),
    platforms,
    multiPlatform: readMultiPlatform(
      buildArgs.get('BUILDKIT_MULTI_PLATFORM') || raw.get('multi-platform'),
      platforms.length,
    ),
    buildPlatform,
    noCache: readNoCache(raw.get('no-cache')),
    resolveMode: raw.get('image-resolve-mode') || 'default',
    network: readNetwork(raw.get('force-network-mode')),
    extraHosts: readHosts(raw.get('add-hosts')),
    hostname: buildArgs.get('BUILDKIT_SANDBOX_HOSTNAME') || raw.get('hostname') || undefined,
    cgroupParent: raw.get('cgroup-parent') || undefined,
    shmSize: readSize(raw.get('shm-size')),
    ulimits: readUlimits(raw.get('ulimit')),
    resources: readResources(raw),
    cacheMountNamespace: buildArgs.get('BUILDKIT_CACHE_MOUNT_NS') ?? '',
    localSessions: withPrefix(raw, 'local-sessionid:'),
    raw,
  };
}

export function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(1|t|true)$/i.test(value);
}

function withPrefix(raw: ReadonlyMap<string, string>, prefix: string): Map<string, string> {
  return new Map(
    [...raw].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

/** Present and empty means all stages. */
function readNoCache(value: string | undefined): boolean | ReadonlySet<string> {
  if (value === undefined) return false;
  if (value === '') return true;
  return new Set(value.split(',').map((stage) => stage.trim().toLowerCase()));
}

function readNetwork(value: string | undefined): BuildOptions['network'] {
  if (value === 'host' || value === 'none') return value;
  if (value === undefined || value === '' || value === 'sandbox' || value === 'default') return undefined;
  throw invalidArgument(`cannot build with network mode ${JSON.stringify(value)}`, {
    hint: 'want default, host or none',
  });
}

function readHosts(value: string | undefined): BuildOptions['extraHosts'] {
  if (value === undefined || value === '') return [];
  return value.split(',').map((text) => {
    const at = text.search(/[=:]/);
    if (at <= 0) throw invalidArgument(`cannot add host ${JSON.stringify(text)}`, { hint: 'want name=address' });
    return { Host: text.slice(0, at), IP: text.slice(at + 1).replace(/^\[(.*)\]$/, '$1') };
  });
}

function readUlimits(value: string | undefined): BuildOptions['ulimits'] {
  if (value === undefined || value === '') return [];
  return value.split(',').map((text) => {
    const match = /^([a-z]+)=(-?\d{1,18})(?::(-?\d{1,18}))?$/.exec(text);
    if (!match) throw invalidArgument(`cannot use ulimit ${JSON.stringify(text)}`, { hint: 'want name=soft[:hard]' });
    return { Name: match[1] ?? '', Soft: BigInt(match[2] ?? 0), Hard: BigInt(match[3] ?? match[2] ?? 0) };
  });
}

function readSize(value: string | undefined): number | undefined {
  if (value === undefined || value === '') return undefined;
  if (!/^\d{1,15}$/.test(value))
    throw invalidArgument(`invalid shm-size value: ${JSON.stringify(value)}`, { hint: 'want a number of bytes' });
  return Number(value);
}

function readMultiPlatform(value: string | undefined, count: number): boolean {
  if (value === undefined || value === '') return count > 1;
  if (!isTrue(value) && count > 1)
    throw invalidArgument('conflicting config: returning multiple target platforms is not allowed');
  return isTrue(value);
}
