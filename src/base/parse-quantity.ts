import { invalidArgument } from './errors.ts';

const units: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, p: 2 ** 50 };

/** Reads a size as docker does, binary units: `64m`, `1.5g`, `1GiB`, `100b`. */
export function parseBytes(text: string): number {
  const match = /^(\d{1,18}(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?$/i.exec(text.trim());
  const unit = units[match?.[2]?.toLowerCase() ?? ''];
  if (!match || unit === undefined)
    throw invalidArgument(`cannot use ${JSON.stringify(text)} as a size`, {
      hint: 'want a number with a unit, such as 64m',
    });
  return Math.floor(Number(match[1]) * unit);
}

const seconds: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** Reads a duration as Go writes it, such as `1m30s`. Nanoseconds. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (text === '0') return 0;
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text)
    throw invalidArgument(`cannot use ${JSON.stringify(text)} as a duration`, {
      hint: 'want a number with a unit, such as 30s',
    });
  return Math.round(parts.reduce((sum, [, count, unit]) => sum + Number(count) * (seconds[unit ?? ''] ?? 0), 0) * 1e9);
}
