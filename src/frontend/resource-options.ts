import type { OpMetadata } from '../api/gen/ops_pb.js';
import { LinuxResourcesSchema } from '../api/gen/ops_pb.js';
import { create } from '../api/message/create.ts';
import { invalidArgument } from '../base/errors.ts';

const numbers = [
  ['memory', 'memory'],
  ['memswap', 'memorySwap'],
  ['cpushares', 'cpuShares'],
  ['cpuperiod', 'cpuPeriod'],
  ['cpuquota', 'cpuQuota'],
] as const;

/** Limits for the processes of a build; undefined when there are none. */
export function readResources(raw: ReadonlyMap<string, string>): OpMetadata['linuxResources'] {
  const given = numbers.flatMap(([key, field]) => {
    const value = raw.get(key) ?? '';
    return value === '' ? [] : [[field, readLimit(key, value)] as const];
  });
  const cpusetCpus = readSet(raw, 'cpusetcpus');
  const cpusetMems = readSet(raw, 'cpusetmems');
  if (given.length === 0 && cpusetCpus === '' && cpusetMems === '') return undefined;
  return create(LinuxResourcesSchema, { ...Object.fromEntries(given), cpusetCpus, cpusetMems });
}

function readLimit(key: string, value: string): bigint {
  const isUnlimitedSwap = key === 'memswap' && value === '-1';
  if (isUnlimitedSwap || (/^\d{1,18}$/.test(value) && !/^0+$/.test(value))) return BigInt(value);
  throw invalidArgument(`invalid ${key} value: ${JSON.stringify(value)}: must be > 0`);
}

function readSet(raw: ReadonlyMap<string, string>, key: string): string {
  const value = raw.get(key) ?? '';
  if (value === '' || /^\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*$/.test(value)) return value;
  throw invalidArgument(`invalid ${key} value: ${JSON.stringify(value)}`, { hint: 'want numbers such as 0-3,5' });
}
