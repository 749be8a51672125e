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
  /** What the flag means when it is given without a value, which then follows `=` only. */
  readonly bare?: string;
}

export interface Parsed {
  readonly flags: FlagReader;
  readonly args: readonly string[];
}

/** The command line is wrong. docker's exit codes: 1 for arguments, 125 for flags. */
export class UsageError extends Error {
  readonly exit: number;

  constructor(message: string, exit = 1) {
    super(message);
    this.exit = exit;
  }
}

function flagError(message: string): UsageError {
  return new UsageError(message, 125);
}

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

  /** The same flags, but for one. */
  without(name: string): FlagReader {
    return new FlagReader(new Map([...this.#values].filter(([key]) => key !== name)));
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
    const next = (shown: string): string => {
      const value = words[++at];
      if (value === undefined) throw flagError(`flag needs an argument: ${shown}`);
      return value;
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
      else set(flag, flag.kind === 'boolean' ? 'true' : (flag.bare ?? next(`--${name}`)));
    } else if (word.startsWith('-') && word.length > 1) {
      for (let i = 1; i < word.length; i++) {
        const letter = word.charAt(i);
        const flag = flags.find((each) => each.short === letter);
        if (!flag) throw flagError(`unknown shorthand flag: '${letter}' in ${word}`);
        const rest = word.slice(i + 1);
        if (flag.kind === 'boolean' && !rest.startsWith('=')) {
          set(flag, 'true');
          continue;
        }
        set(flag, rest === '' ? next(`'${letter}' in ${word}`) : rest.replace(/^=/, ''));
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
  const invalid = (want: string) => {
    const shown = flag.short === undefined ? `--${flag.name}` : `-${flag.short}, --${flag.name}`;
    return flagError(`invalid argument ${JSON.stringify(value)} for "${shown}" flag: want ${want}`);
  };
  if (flag.kind === 'boolean') {
    if (/^(1|t|true)$/i.test(value)) return 'true';
    if (/^(0|f|false)$/i.test(value)) return 'false';
    throw invalid('true or false');
  }
  if (flag.kind === 'number' && !/^-?\d+(\.\d+)?$/.test(value)) throw invalid('a number');
  return value;
}

function unknownFlag(shown: string, flags: readonly Flag[]): UsageError {
  const near = suggest(
    shown.slice(2),
    flags.map((flag) => flag.name),
  );
  return flagError(`unknown flag: ${shown}${near === undefined ? '' : ` (did you mean --${near}?)`}`);
}

const flagOf =
  (kind: Flag['kind'], value?: string) =>
  (name: string, summary: string, short?: string, shown = value): Flag => ({
    name,
    kind,
    summary,
    ...(shown === undefined ? {} : { value: shown }),
    ...(short === undefined ? {} : { short }),
  });

export const boolean = flagOf('boolean');
export const text = flagOf('text', 'string');
export const list = flagOf('list', 'list');
export const number = flagOf('number', 'int');
