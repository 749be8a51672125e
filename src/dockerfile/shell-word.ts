import { invalidArgument } from '../base/errors.ts';
import { ParseFailure } from './parse-failure.ts';
import { readShellPattern, replaceMatches, trimPrefix, trimSuffix } from './shell-pattern.ts';
import { WordList } from './word-list.ts';

/** The variables by name. */
export type Environment = Pick<ReadonlyMap<string, string>, 'get'>;

export interface WordOptions {
  readonly escape?: '\\' | '`';
  /** Quotes are obeyed and stay in the text. */
  readonly rawQuotes?: boolean;
  /** Quotes are characters like any other, as in the body of a heredoc. */
  readonly skipQuotes?: boolean;
  /** Escapes are obeyed and stay in the text. */
  readonly rawEscapes?: boolean;
  /** Unset variables stay as they were written. */
  readonly skipUnset?: boolean;
}

export interface ExpandedWord {
  readonly result: string;
  /** Variables that were asked for and found, and those that were not set. */
  readonly matched: ReadonlySet<string>;
  readonly unmatched: ReadonlySet<string>;
}

/**
 * Expands variables, quotes and escapes of one word (reference.md "Environment replacement"). Throws invalid-argument on a malformed
 * word, on `${v?why}` for an unset variable, and on one that grows without measure.
 */
export function expandWord(text: string, environment: Environment, options: WordOptions = {}): ExpandedWord {
  const lexer = new Lexer(text, environment, options);
  const { result } = lexer.expand();
  return { result, matched: lexer.matched, unmatched: lexer.unmatched };
}

/** The same, split into words at blanks outside quotes, also at those that unquoted variables bring. */
export function expandWords(text: string, environment: Environment, options: WordOptions = {}): readonly string[] {
  return new Lexer(text, environment, options).expand().words;
}

const depthLimit = 100;
/** How much longer than its text a word may become. Characters; Linux gives a process no longer variable than half of this. */
const growthLimit = 256 * 1024;

interface Piece {
  readonly result: string;
  readonly words: string[];
}

class Lexer {
  readonly matched = new Set<string>();
  readonly unmatched = new Set<string>();
  readonly #text: string;
  readonly #characters: readonly string[];
  readonly #environment: Environment;
  readonly #options: WordOptions;
  readonly #escape: string;
  #at = 0;
  #depth = 0;
  #growth = 0;

  constructor(text: string, environment: Environment, options: WordOptions) {
    this.#text = text;
    this.#characters = Array.from(text);
    this.#environment = environment;
    this.#options = options;
    this.#escape = options.escape ?? '\\';
  }

  expand(): Piece {
    try {
      return this.#until(undefined, this.#options.rawEscapes === true);
    } catch (error) {
      if (!(error instanceof ParseFailure)) throw error;
      throw invalidArgument(`failed to process ${JSON.stringify(this.#text.slice(0, 200))}: ${error.message}`);
    }
  }

  /** Up to the stop character, which is consumed, or to the end. */
  #until(stop: string | undefined, rawEscapes: boolean): Piece {
    const result: string[] = [];
    const words = new WordList();
    for (;;) {
      const character = this.#peek();
      if (character === undefined) {
        if (stop === undefined) break;
        throw new ParseFailure(stop === '/' ? "syntax error: missing '/' in ${}" : "syntax error: missing '}'");
      }
      if (character === stop) {
        this.#at++;
        break;
      }
      if (character === '$') {
        const value = this.#dollar();
        result.push(value);
        words.add(value);
      } else if (!this.#options.skipQuotes && (character === "'" || character === '"')) {
        const value = character === "'" ? this.#singleQuotes() : this.#doubleQuotes(rawEscapes);
        result.push(value);
        words.addQuoted(value);
      } else if (character === this.#escape) {
        const value = this.#escaped(rawEscapes);
        result.push(value);
        words.addQuoted(value);
      } else {
        this.#at++;
        result.push(character);
        words.add(character);
      }
    }
    return { result: result.join(''), words: words.end() };
  }

  /** The escape character and the one behind it; at the very end it was meant for a line's end and stands for nothing. */
  #escaped(raw: boolean): string {
    this.#at++;
    const next = this.#peek();
    if (next !== undefined) this.#at++;
    return `${raw ? this.#escape : ''}${next ?? ''}`;
  }

  #singleQuotes(): string {
    const end = this.#characters.indexOf("'", this.#at + 1);
    if (end < 0) throw new ParseFailure('unexpected end of statement while looking for matching single-quote');
    const [from, to] = this.#options.rawQuotes ? [this.#at, end + 1] : [this.#at + 1, end];
    this.#at = end + 1;
    return this.#characters.slice(from, to).join('');
  }

  /** Variables are expanded; the escape only works before `$`, `"` and itself. */
  #doubleQuotes(rawEscapes: boolean): string {
    const quote = this.#options.rawQuotes ? '"' : '';
    const parts: string[] = [quote];
    for (this.#at++; ; ) {
      const character = this.#peek();
      if (character === undefined)
        throw new ParseFailure('unexpected end of statement while looking for matching double-quote');
      if (character === '$') {
        parts.push(this.#dollar());
        continue;
      }
      this.#at++;
      if (character === '"') return [...parts, quote].join('');
      const next = this.#peek() ?? '';
      const escapes = character === this.#escape && (next === '"' || next === '$' || next === this.#escape);
      if (escapes) this.#at++;
      if (!escapes || rawEscapes) parts.push(character);
      if (escapes) parts.push(next);
    }
  }

  #dollar(): string {
    if (++this.#depth > depthLimit) throw new ParseFailure(`its variables are nested more than ${depthLimit} deep`);
    this.#at++;
    const value = this.#peek() === '{' ? this.#braces() : this.#plain();
    this.#growth += value.length;
    if (this.#growth > growthLimit)
      throw new ParseFailure(`its variables make it longer than ${growthLimit} characters`);
    this.#depth--;
    return value;
  }

  #plain(): string {
    const name = this.#name();
    if (name === '') return '$';
    return this.#lookup(name) ?? (this.#options.skipUnset ? `$${name}` : '');
  }

  #braces(): string {
    this.#at++;
    const first = this.#peek();
    if (first === undefined) throw new ParseFailure("syntax error: missing '}'");
    if (first === '{' || first === '}' || first === ':') throw new ParseFailure('syntax error: bad substitution');
    const name = this.#name();
    const operator = this.#peek() ?? '';
    this.#at++;
    if (operator === '}') return this.#lookup(name) ?? (this.#options.skipUnset ? `\${${name}}` : '');
    if (operator === '/') return this.#replacement(name);
    if (operator === '#' || operator === '%') return this.#trimmed(name, operator);
    const colon = operator === ':' ? ':' : '';
    const modifier = colon === '' ? operator : (this.#peek() ?? '');
    if (colon !== '') this.#at++;
    if (operator === '') throw new ParseFailure("syntax error: missing '}'");
    if (modifier !== '+' && modifier !== '-' && modifier !== '?')
      throw new ParseFailure(`unsupported modifier (${colon}${modifier}) in substitution`);
    return this.#conditional(name, colon, modifier);
  }

  /** `${v:-w}`, `${v-w}`, and the same with `+` and `?`. */
  #conditional(name: string, colon: '' | ':', modifier: '+' | '-' | '?'): string {
    const { result: word } = this.#until('}', false);
    const value = this.#lookup(name);
    if (value === undefined && this.#options.skipUnset) return `\${${name}${colon}${modifier}${word}}`;
    const given = value !== undefined && !(colon === ':' && value === '');
    if (modifier === '+') return given ? word : '';
    if (given) return value;
    if (modifier === '-') return word;
    const state = value === undefined ? 'unset' : 'empty';
    throw new ParseFailure(`${name}: ${word === '' ? `is not allowed to be ${state}` : word}`);
  }

  /** `${v#p}`, `${v##p}`, `${v%p}`, `${v%%p}`. */
  #trimmed(name: string, operator: '#' | '%'): string {
    const longest = this.#peek() === operator;
    if (longest) this.#at++;
    const text = this.#patternText('}');
    const value = this.#lookup(name);
    if (value === undefined && this.#options.skipUnset)
      return `\${${name}${operator}${longest ? operator : ''}${text}}`;
    const trim = operator === '#' ? trimPrefix : trimSuffix;
    return trim(value ?? '', readShellPattern(text), longest);
  }

  /** `${v/p/r}`, `${v//p/r}`. */
  #replacement(name: string): string {
    const all = this.#peek() === '/';
    if (all) this.#at++;
    const text = this.#patternText('/');
    const { result: replacement } = this.#until('}', true);
    const value = this.#lookup(name);
    if (value === undefined && this.#options.skipUnset) return `\${${name}/${all ? '/' : ''}${text}/${replacement}}`;
    // Before it is built: a long replacement at each character of a long value is no small thing.
    if ((value ?? '').length * replacement.length > 64 * growthLimit)
      throw new ParseFailure(`its variables make it longer than ${growthLimit} characters`);
    return replaceMatches(value ?? '', readShellPattern(text), replacement, all);
  }

  /** A pattern keeps its escapes, in the form `\`, for the matcher. */
  #patternText(stop: '}' | '/'): string {
    const from = this.#at;
    const { result } = this.#until(stop, true);
    if (this.#escape === '\\' || !this.#characters.slice(from, this.#at).includes(this.#escape)) return result;
    return result.replaceAll(this.#escape, '\\');
  }

  /** Letters, digits and underscores; digits alone; or one special parameter, which is never set. */
  #name(): string {
    const first = this.#peek() ?? '';
    if (first !== '' && '@*#?$!-'.includes(first)) {
      this.#at++;
      return first;
    }
    const allowed = isDigit(first) ? isDigit : isNameCharacter;
    const start = this.#at;
    while (allowed(this.#peek() ?? '')) this.#at++;
    return this.#characters.slice(start, this.#at).join('');
  }

  #lookup(name: string): string | undefined {
    const value = this.#environment.get(name);
    (value === undefined ? this.unmatched : this.matched).add(name);
    return value;
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

function isNameCharacter(character: string): boolean {
  return /^[\p{L}\p{Nd}_]$/u.test(character);
}
