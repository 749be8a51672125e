import { templateError } from './template-lexer.ts';
import { fieldOf, isTrue, showValue } from './template-values.ts';

export type TemplateFunction = (...values: readonly unknown[]) => unknown;

const longestPad = 4096;

/** docker's functions (docker/cli templates) and Go's own (text/template). */
export const templateFunctions: Readonly<Record<string, TemplateFunction>> = {
  json: (value) => JSON.stringify(value ?? null),
  split: (value, separator) => showValue(value).split(showValue(separator)),
  join: (value, separator) =>
    listOf(value, 'join')
      .map(showValue)
      .join(showValue(separator ?? '')),
  title: (value) => showValue(value).replace(/(?<![\p{L}\p{N}'])\p{L}/gu, (letter) => letter.toUpperCase()),
  lower: (value) => showValue(value).toLowerCase(),
  upper: (value) => showValue(value).toUpperCase(),
  pad: (value, before, after) => {
    const blanks = (count: unknown) => ' '.repeat(Math.max(0, Math.min(longestPad, numberOf(count, 'pad'))));
    return showValue(value) === '' ? '' : `${blanks(before)}${showValue(value)}${blanks(after)}`;
  },
  truncate: (value, length) => [...showValue(value)].slice(0, Math.max(0, numberOf(length, 'truncate'))).join(''),
  print: (...values) => values.map(showValue).join(values.some((value) => typeof value === 'string') ? '' : ' '),
  println: (...values) => `${values.map(showValue).join(' ')}\n`,
  printf: (pattern, ...values) => formatValues(showValue(pattern), values),
  len: (value) => lengthOf(value),
  index: (value, ...keys) => keys.reduce((current, key) => indexOf(current, key), value),
  slice: (value, from, to) => sliceOf(value, from, to),
  and: (...values) => values.find((value) => !isTrue(value)) ?? values.at(-1),
  or: (...values) => values.find(isTrue) ?? values.at(-1),
  not: (value) => !isTrue(value),
  eq: (value, ...others) => others.some((other) => isEqual(value, other)),
  ne: (a, b) => !isEqual(a, b),
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  html: (value) => showValue(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`),
  urlquery: (value) => encodeURIComponent(showValue(value)),
};

function listOf(value: unknown, name: string): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw templateError(`${name} wants a list, not ${JSON.stringify(value)}`);
  return value;
}

function numberOf(value: unknown, name: string): number {
  if (typeof value !== 'number') throw templateError(`${name} wants a number, not ${JSON.stringify(value)}`);
  return value;
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (typeof value === 'object') return Object.keys(value ?? {}).length;
  throw templateError(`len of ${JSON.stringify(value)}`);
}

function indexOf(value: unknown, key: unknown): unknown {
  if (value === null || value === undefined) throw templateError('index of untyped nil');
  if (!Array.isArray(value) && typeof value !== 'string') return fieldOf(value, showValue(key)).value;
  const at = numberOf(key, 'index');
  if (at < 0 || at >= value.length) throw templateError(`index out of range: ${at}`);
  return value[at];
}

function sliceOf(value: unknown, from: unknown = 0, to?: unknown): unknown {
  if (!Array.isArray(value) && typeof value !== 'string') throw templateError(`slice of ${JSON.stringify(value)}`);
  const [begin, end] = [numberOf(from, 'slice'), to === undefined ? value.length : numberOf(to, 'slice')];
  if (begin < 0 || end > value.length || begin > end) throw templateError(`slice out of range: ${begin}:${end}`);
  return value.slice(begin, end);
}

function isEqual(a: unknown, b: unknown): boolean {
  return a === b || ((a ?? null) === null && (b ?? null) === null);
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  throw templateError(`incompatible types for comparison: ${JSON.stringify(a)} and ${JSON.stringify(b)}`);
}

/** Go's verbs for strings, numbers and truth values, with width, precision, `-` and `0`. */
function formatValues(pattern: string, values: readonly unknown[]): string {
  let next = 0;
  return pattern.replace(/%([-+0 #]*)(\d{1,4})?(?:\.(\d{1,3}))?([a-zA-Z%])/g, (_, flags, width, precision, verb) => {
    if (verb === '%') return '%';
    if (next >= values.length) return `%!${verb}(MISSING)`;
    const shown = formatValue(values[next++], verb, precision === undefined ? undefined : Number(precision));
    if (width === undefined) return shown;
    if (flags.includes('-')) return shown.padEnd(Number(width));
    return shown.padStart(Number(width), flags.includes('0') && /^-?[\d.]+$/.test(shown) ? '0' : ' ');
  });
}

function formatValue(value: unknown, verb: string, precision: number | undefined): string {
  if (verb === 'q') return JSON.stringify(showValue(value));
  if (typeof value === 'number') {
    if (verb === 'x' || verb === 'X') return verb === 'x' ? value.toString(16) : value.toString(16).toUpperCase();
    if (verb === 'f') return value.toFixed(precision ?? 6);
    if (verb === 'd' || verb === 'v' || verb === 's' || verb === 'g') return showValue(value);
  }
  if (verb === 'x') return Buffer.from(showValue(value)).toString('hex');
  const text = showValue(value);
  return precision === undefined ? text : [...text].slice(0, precision).join('');
}
