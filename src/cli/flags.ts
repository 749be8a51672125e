import { suggest } from '../dockerfile/diagnostic.ts';

/** A flag as data: parsing, help and completion come from it. */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** `list`: may be repeated. `text`: the last one counts. */
  readonly kind: 'boolean' | 'text' | 'list' | 'number';
  /** What help calls the value, such as `stringArray`. */
  readonly value?: string;
  readonly summary: string;
  readonly default?: string;
}

export interface Parsed {
  readonly flags: FlagReader;
  readonly args: readonly string[];
}

/** The command line is wrong: exit code 1, or 125 where docker has that. */
export class UsageError extends Error {}

export class FlagReader {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  list(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  boolean(name: string): boolean {
    return this.text(name) === 'true';
  }

  number(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : Number(text);
  }
}

/** Docker's grammar (Go's pflag): `-it`, `-eA=b`, `--rm=false`, `--`; with `stopAtFirst` everything after the first word is the container's. */
export function parseFlags(
  words: readonly string[],
  flags: readonly Flag[],
  options: { readonly stopAtFirst?: boolean } = {},
): Parsed {
  const values = new Map<string, string[]>();
  const args: string[] = [];
  const set = (flag: Flag, value: string) =>
    values.set(flag.name, [...(flag.kind === 'list' ? (values.get(flag.name) ?? []) : []), check(flag, value)]);
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const next = (flag: Flag, shown: string): string => {
      const value = words[++at];
      if (value === undefined) throw new UsageError(`flag needs an argument: ${shown}`);
      return flag.kind === 'boolean' ? 'true' : value;
    };
    if (word === '--') {
      args.push(...words.slice(at + 1));
      break;
    }
    if (word.startsWith('--')) {
      const equals = word.indexOf('=');
      const name = word.slice(2, equals < 0 ? undefined : equals);
      const flag = flags.find((each) => each.name === name);
      if (!flag) throw unknownFlag(`--${name}`, flags);
      if (equals >= 0) set(flag, word.slice(equals + 1));
      else set(flag, flag.kind === 'boolean' ? 'true' : next(flag, `--${name}`));
    } else if (word.startsWith('-') && word.length > 1) {
      for (let i = 1; i < word.length; i++) {
        const letter = word.charAt(i);
        const flag = flags.find((each) => each.short === letter);
        if (!flag) throw new UsageError(`unknown shorthand flag: '${letter}' in ${word}`);
        const rest = word.slice(i + 1);
        if (flag.kind === 'boolean' && !rest.startsWith('=')) {
          set(flag, 'true');
          continue;
        }
        set(flag, rest === '' ? next(flag, `'${letter}' in ${word}`) : rest.replace(/^=/, ''));
        break;
      }
    } else {
      args.push(word);
      if (!options.stopAtFirst) continue;
      args.push(...words.slice(at + 1));
      break;
    }
  }
  return { flags: new FlagReader(values), args };
}

function check(flag: Flag, value: string): string {
  if (flag.kind === 'boolean') {
    if (/^(1|t|true)$/i.test(value)) return 'true';
    if (/^(0|f|false)$/i.test(value)) return 'false';
    throw new UsageError(`invalid argument ${JSON.stringify(value)} for "--${flag.name}" flag: want true or false`);
  }
  if (flag.kind === 'number' && !/^-?\d+(\.\d+)?$/.test(value))
    throw new UsageError(`invalid argument ${JSON.stringify(value)} for "--${flag.name}" flag: want a number`);
  return value;
}

function unknownFlag(shown: string, flags: readonly Flag[]): UsageError {
  const near = suggest(
    shown.slice(2),
    flags.map((flag) => flag.name),
  );
  return new UsageError(`unknown flag: ${shown}${near === undefined ? '' : ` (did you mean --${near}?)`}`);
}

export const boolean = (name: string, summary: string, short?: string): Flag => ({
  name,
  kind: 'boolean',
  summary,
  ...(short ? { short } : {}),
});
export const text = (name: string, summary: string, short?: string, value = 'string'): Flag => ({
  name,
  kind: 'text',
  summary,
  value,
  ...(short ? { short } : {}),
});
export const list = (name: string, summary: string, short?: string, value = 'list'): Flag => ({
  name,
  kind: 'list',
  summary,
  value,
  ...(short ? { short } : {}),
});
export const number = (name: string, summary: string, short?: string, value = 'int'): Flag => ({
  name,
  kind: 'number',
  summary,
  value,
  ...(short ? { short } : {}),
});
