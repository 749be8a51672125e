import { invalidArgument } from '../base/errors.ts';
import type { BuildOptions } from './build-options.ts';

const name = 'SOURCE_DATE_EPOCH';

/** From the client, else from a global ARG's default. Seconds since 1970. */
export function readSourceDateEpoch(
  { buildArgs }: BuildOptions,
  globals: ReadonlyMap<string, string>,
): number | undefined {
  const value = buildArgs.get(name) ?? globals.get(name) ?? '';
  if (value === '') return undefined;
  if (/^\d{1,12}$/.test(value)) return Number(value);
  throw invalidArgument(`invalid SOURCE_DATE_EPOCH: ${JSON.stringify(value)}`, { hint: 'want seconds since 1970' });
}
