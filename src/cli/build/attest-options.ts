import { invalidArgument } from '../../base/errors.ts';
import type { FlagReader } from '../flags.ts';
import { readFields, splitFields } from './fields.ts';

/** `--attest type=sbom,…`, `--sbom` and `--provenance` as `attest:sbom` and `attest:provenance`; switched off ones are left out. */
export function attestOptions(flags: FlagReader): Record<string, string> {
  const wanted = new Map<string, string | undefined>();
  for (const word of flags.list('attest')) {
    const fields = readFields(word);
    const type = fields.get('type');
    if (!type)
      throw invalidArgument(`cannot attest ${JSON.stringify(word)}: it says no type`, {
        hint: 'want type=sbom or type=provenance',
      });
    const rest = splitFields(word).filter((field) => !/^(type|disabled)(=|$)/i.test(field));
    wanted.set(type, isTrue(fields.get('disabled')) ? undefined : rest.join(','));
  }
  for (const type of ['sbom', 'provenance']) {
    const value = flags.text(type);
    if (value !== undefined) wanted.set(type, shorthand(value));
  }
  return Object.fromEntries(
    [...wanted].flatMap(([type, value]) => (value === undefined ? [] : [[`attest:${type}`, value]])),
  );
}

/** `true`, `false`, or attributes; `max` and `min` are modes. */
function shorthand(value: string): string | undefined {
  if (/^(0|f|false)$/i.test(value)) return undefined;
  if (/^(1|t|true)$/i.test(value)) return '';
  return value === 'max' || value === 'min' ? `mode=${value}` : value;
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(1|t|true)$/i.test(value);
}
