import { suggest } from './diagnostic.ts';
import { ParseFailure } from './parse-failure.ts';

/** What flags an instruction takes, by name. */
export type FlagKinds = Readonly<Record<string, 'text' | 'boolean' | 'list'>>;

export class FlagValues {
  readonly #values = new Map<string, string[]>();

  add(name: string, value: string): void {
    this.#values.set(name, [...(this.#values.get(name) ?? []), value]);
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

/** Takes `--name[=value]` words off the front; answers the rest of the line. */
export function readFlags(
  text: string,
  kinds: FlagKinds,
  escapeChar: string,
): { readonly flags: FlagValues; readonly rest: string } {
  const flags = new FlagValues();
  let rest = text.trimStart();
  while (rest.startsWith('--')) {
    const [word, after] = firstWord(rest, escapeChar);
    rest = after.trimStart();
    if (word === '--') break;
    addFlag(flags, word, kinds);
  }
  return { flags, rest };
}

function addFlag(flags: FlagValues, word: string, kinds: FlagKinds): void {
  const equals = word.indexOf('=');
  const name = word.slice(2, equals < 0 ? undefined : equals);
  const value = equals < 0 ? undefined : word.slice(equals + 1);
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (kind === undefined) {
    const near = suggest(name, Object.keys(kinds));
    throw new ParseFailure(`unknown flag: --${name}`, near === undefined ? undefined : `did you mean --${near}?`);
  }
  if (kind !== 'list' && flags.has(name)) throw new ParseFailure(`duplicate flag specified: ${name}`);
  if (kind === 'boolean') {
    const lower = value?.toLowerCase() ?? 'true';
    if (lower !== 'true' && lower !== 'false')
      throw new ParseFailure(`expecting boolean value for flag ${name}, not: ${value}`);
    flags.add(name, lower);
  } else if (value === undefined) throw new ParseFailure(`missing a value on flag: ${name}`);
  else flags.add(name, value);
}

/** The first word with its quotes and escapes undone, and what follows it. */
function firstWord(text: string, escapeChar: string): [string, string] {
  let word = '';
  let quote = '';
  let at = 0;
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    if (quote !== '' ? char === quote : char === '"' || char === "'") quote = quote === '' ? char : '';
    else if (char === escapeChar && at + 1 < text.length && quote !== "'") word += text.charAt(++at);
    else if (quote === '' && /\s/.test(char)) break;
    else word += char;
  }
  return [word, text.slice(at)];
}
