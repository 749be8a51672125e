import { invalidArgument } from '../../base/errors.ts';
import { parseDuration } from '../../base/parse-quantity.ts';

/** `--since` and `--until` as the API takes them, in seconds since 1970: from a time, such seconds, or a span before now. */
export function timestampOf(text: string | undefined, now: Date = new Date()): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d+(\.\d{1,9})?$/.test(text)) return text;
  if (/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text))
    return (now.getTime() / 1000 - parseDuration(text) / 1e9).toFixed(9);
  const time = Date.parse(/[zZ]$|[+-]\d\d:?\d\d$/.test(text) || !text.includes('T') ? text : `${text}Z`);
  if (Number.isNaN(time))
    throw invalidArgument(`cannot use ${JSON.stringify(text)} as a time`, {
      hint: 'want 2026-01-02T15:04:05Z, seconds since 1970, or a span such as 10m',
    });
  return (time / 1000).toFixed(9);
}
