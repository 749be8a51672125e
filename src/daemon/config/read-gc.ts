import { invalidArgument } from '../../base/errors.ts';
import { parseBytes, parseDuration } from '../../base/parse-quantity.ts';
import type { DiskSpace, GcPolicy, GcSpace } from '../gc-policy.ts';
import type { ConfigTable } from './config-table.ts';

/** Limits of a worker or a policy, under their present and their former names; undefined when it sets none. */
export function readSpace(table: ConfigTable): GcSpace | undefined {
  const former = diskSpace(table, 'gckeepstorage') ?? diskSpace(table, 'keepBytes');
  const space = {
    reserved: diskSpace(table, 'reservedSpace') ?? former,
    maxUsed: diskSpace(table, 'maxUsedSpace'),
    minFree: diskSpace(table, 'minFreeSpace'),
  };
  return Object.values(space).every((each) => each === undefined) ? undefined : space;
}

export function readPolicy(table: ConfigTable): GcPolicy {
  return {
    all: table.boolean('all') ?? false,
    filters: table.texts('filters') ?? [],
    keepFor: milliseconds(table.quantity('keepDuration')),
    ...readSpace(table),
  };
}

function diskSpace(table: ConfigTable, key: string): DiskSpace | undefined {
  const text = table.quantity(key);
  if (text === undefined || text === '') return undefined;
  const percent = /^(\d{1,3})%$/.exec(text)?.[1];
  if (percent === undefined) return { bytes: parseBytes(text) };
  if (Number(percent) > 100) throw invalidArgument(`cannot use ${text} as ${JSON.stringify(table.nameOf(key))}`);
  return { percent: Number(percent) };
}

/** A number without a unit is of seconds. */
function milliseconds(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  return /^\d+$/.test(text) ? Number(text) * 1000 : parseDuration(text) / 1e6;
}
