import { suggest } from './diagnostic.ts';
import { ParseFailure } from './parse-failure.ts';
import { isBlank } from './word-list.ts';

/** What flags an instruction takes, by name. */
export type FlagKinds = Readonly<Record<string, 'text' | 'boolean' | 'list'>>;

export class FlagValues {
  readonly #values = new Map<string, string[]>();

  add(name: string, value: string): void {
    const values = this.#values.get(name);
    if (values) values.push(value);
    else this.#values.set(name, [value]);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  text(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }

  list(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  boolean(name: string): boolean | undefined {
    const value = this.text(name);
    return value === undefined ? undefined : value === 'true';
  }
}

/** Takes the `--name[=value]` words off the front, quotes and escapes undone; a lone `--` ends them. */
export function splitFlags(
  text: string,
  escapeChar: string,
): { readonly words: readonly string[]; readonly rest: string } {
  const words: string[] = [];
  let at = skipBlanks(text, 0);
  while (text.startsWith('--', at)) {
    const [word, end] = readFlagWord(text, at, escapeChar);
    at = skipBlanks(text, end);
    if (word === '--') break;
    words.push(word);
  }
  return { words, rest: text.slice(at) };
}

/** The flags by name, each checked. Throws ParseFailure. */
export function readFlags(words: readonly string[], kinds: FlagKinds): FlagValues {
  const flags = new FlagValues();
  for (const word of words) addFlag(flags, word, kinds);
  return flags;
}

function addFlag(flags: FlagValues, word: string, kinds: FlagKinds): void {
  const equals = word.indexOf('=');
  const name = word.slice(2, equals < 0 ? undefined : equals);
  const value = equals < 0 ? undefined : word.slice(equals + 1);
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (kind === undefined) {
    const near = suggest(name, Object.keys(kinds));
    throw new ParseFailure(`unknown flag: --${name}`, near === undefined ? undefined : `did you mean ${near}?`);
  }
  if (kind !== 'list' && flags.has(name)) throw new ParseFailure(`duplicate flag specified: --${name}`);
  if (value === undefined ? kind !== 'boolean' : kind === 'boolean' && value === '')
    throw new ParseFailure(`missing a value on flag: --${name}`, `write --${name}=value`);
  flags.add(name, kind === 'boolean' ? readBoolean(name, value ?? 'true') : (value ?? ''));
}

function readBoolean(name: string, value: string): string {
  const lower = value.toLowerCase();
  if (lower === 'true' || lower === 'false') return lower;
  throw new ParseFailure(`expecting boolean value for flag --${name}, not: ${value}`, 'want true or false');
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBlank(text.charAt(at))) at++;
  return at;
}

function readFlagWord(text: string, from: number, escapeChar: string): [word: string, end: number] {
  let word = '';
  let quote = '';
  let at = from;
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    if (quote === '' && isBlank(char)) break;
    if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
    else if (char !== escapeChar) word += char;
    else if (at + 1 < text.length) word += text.charAt(++at);
  }
  return [word, at];
}
