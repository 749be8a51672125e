import { invalidArgument } from '../../../base/errors.ts';
import type { FlagReader } from '../../flags.ts';

export type ExplainForm = 'text' | 'json';

/** `--explain`, `--explain=json`; undefined when nothing is to be explained. */
export function readExplain(flags: FlagReader): ExplainForm | undefined {
  const form = flags.text('explain');
  if (form === undefined || form === 'text' || form === 'json') return form;
  throw invalidArgument(`cannot explain the build as ${JSON.stringify(form)}`, { hint: 'want text or json' });
}
