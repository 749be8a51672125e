import { parseBytes } from '../../base/parse-quantity.ts';
import { keyValues } from '../container/key-values.ts';
import type { FlagReader } from '../flags.ts';
import { attestOptions } from './attest-options.ts';
import { readFields } from './fields.ts';

/** Flags as the options of the Dockerfile frontend (moby/buildkit, frontend/dockerui). */
export function frontendOptions(
  flags: FlagReader,
  environment: NodeJS.ProcessEnv = process.env,
  proxies: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    ...prefixed('build-arg:', { ...proxies, ...buildArguments(flags, environment) }),
    ...prefixed('label:', keyValues(flags.list('label'))),
    ...attestOptions(flags),
    ...resourceOptions(flags.list('resource')),
    ...singleOptions(flags, environment),
  };
}

/** A name without a value takes the caller's, or is left to the Dockerfile when there is none. */
function buildArguments(flags: FlagReader, environment: NodeJS.ProcessEnv): Record<string, string> {
  const given = flags.list('build-arg').flatMap((word): [string, string][] => {
    const equals = word.indexOf('=');
    if (equals >= 0) return [[word.slice(0, equals), word.slice(equals + 1)]];
    const value = environment[word];
    return value === undefined ? [] : [[word, value]];
  });
  const epoch = environment.SOURCE_DATE_EPOCH;
  return { ...(epoch ? { SOURCE_DATE_EPOCH: epoch } : {}), ...Object.fromEntries(given) };
}

function singleOptions(flags: FlagReader, environment: NodeJS.ProcessEnv): Record<string, string> {
  const network = flags.text('network') ?? '';
  const shm = flags.text('shm-size');
  const options = {
    target: flags.text('target'),
    'cgroup-parent': flags.text('cgroup-parent'),
    platform: platforms(flags, environment),
    'add-hosts': flags
      .list('add-host')
      .map((word) => word.replace(/^([^:=]+)[:=]/, '$1='))
      .join(','),
    ulimit: flags.list('ulimit').join(','),
    'force-network-mode': network === 'default' ? '' : network,
    'shm-size': shm === undefined ? '' : `${parseBytes(shm)}`,
    'image-resolve-mode': flags.boolean('pull') ? 'pull' : '',
  };
  return { ...definedTexts(options), ...noCache(flags) };
}

function platforms(flags: FlagReader, environment: NodeJS.ProcessEnv): string {
  return flags.has('platform') ? flags.list('platform').join(',') : (environment.DOCKER_DEFAULT_PLATFORM ?? '');
}

/** Present and empty means every stage. */
function noCache(flags: FlagReader): Record<string, string> {
  if (flags.boolean('no-cache')) return { 'no-cache': '' };
  return flags.has('no-cache-filter') ? { 'no-cache': flags.list('no-cache-filter').join(',') } : {};
}

const resourceKeys: Readonly<Record<string, string>> = {
  memory: 'memory',
  'memory-swap': 'memswap',
  'cpu-shares': 'cpushares',
  'cpu-period': 'cpuperiod',
  'cpu-quota': 'cpuquota',
  'cpuset-cpus': 'cpusetcpus',
  'cpuset-mems': 'cpusetmems',
};

function resourceOptions(words: readonly string[]): Record<string, string> {
  const fields = words.flatMap((word) => [...readFields(word)]);
  return Object.fromEntries(
    fields.flatMap(([key, value]) => {
      if (!Object.hasOwn(resourceKeys, key)) return [];
      return [[resourceKeys[key] ?? key, /^memory/.test(key) && value !== '-1' ? `${parseBytes(value)}` : value]];
    }),
  );
}

function prefixed(prefix: string, values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${prefix}${key}`, value]));
}

function definedTexts(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value ? [[key, value]] : [])));
}
