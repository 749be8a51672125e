import { invalidArgument } from '../base/errors.ts';
import { compileGoMatch } from './go-match.ts';

export type Environment = ReadonlyMap<string, string>;

export interface WordOptions {
  readonly escape?: '\\' | '`';
  /** Quotes and escapes stay in the text (for heredoc bodies, quotes mean nothing). */
  readonly rawQuotes?: boolean;
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

/** Expands variables, quotes and escapes of one word (reference.md "Environment replacement"). Throws on a malformed one. */
export function expandWord(text: string, environment: Environment, options: WordOptions = {}): ExpandedWord {
  const lexer = new Lexer(text, environment, options);
  const { result } = lexer.run(undefined);
  return { result, matched: lexer.matched, unmatched: lexer.unmatched };
}

/** The same, split into words at blanks outside quotes, also at those that unquoted variables bring. */
export function expandWords(text: string, environment: Environment, options: WordOptions = {}): readonly string[] {
  return new Lexer(text, environment, options).run(undefined).words;
}

const maximalDepth = 100;

class Words {
  readonly done: string[] = [];
  #current = '';
  #inWord = false;

  addChar(char: string): void {
    if (/\s/.test(char) && !this.#inWord && this.#current === '') return;
    this.#inWord = true;
    this.#current += char;
  }

  addBlank(): void {
    if (this.#inWord) this.done.push(this.#current);
    this.#inWord = false;
    this.#current = '';
  }

  addQuoted(text: string): void {
    this.#inWord = true;
    this.#current += text;
  }

  /** A variable's value is split at its blanks. */
  addValue(text: string): void {
    for (const piece of text.split(/(\s+)/)) {
      if (piece === '') continue;
      if (/^\s/.test(piece)) this.addBlank();
      else this.addQuoted(piece);
    }
  }

  end(): string[] {
    this.addBlank();
    return this.done;
  }
}

class Lexer {
  readonly matched = new Set<string>();
  readonly unmatched = new Set<string>();
  readonly #chars: readonly string[];
  readonly #environment: Environment;
  readonly #options: WordOptions;
  readonly #escape: string;
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string, environment: Environment, options: WordOptions) {
    this.#text = text;
    this.#chars = Array.from(text);
    this.#environment = environment;
    this.#options = options;
    this.#escape = options.escape ?? '\\';
  }

  /** Until the stop character, which is consumed, or the end. */
  run(stop: string | undefined): { readonly result: string; readonly words: string[] } {
    if (++this.#depth > maximalDepth) throw this.#error('its variables are nested too deep');
    const result: string[] = [];
    const words = new Words();
    for (;;) {
      const char = this.#peek();
      if (char === undefined) {
        if (stop !== undefined)
          throw this.#error(`unexpected end of statement while looking for matching ${stop === '}' ? '}' : stop}`);
        break;
      }
      if (char === stop) {
        this.#at++;
        break;
      }
      this.#one(char, result, words);
    }
    this.#depth--;
    return { result: result.join(''), words: words.end() };
  }

  #one(char: string, result: string[], words: Words): void {
    if (char === "'" || char === '"') {
      const text = char === "'" ? this.#singleQuotes() : this.#doubleQuotes();
      result.push(text);
      words.addQuoted(text);
    } else if (char === '$') {
      const value = this.#dollar();
      result.push(value);
      words.addValue(value);
    } else {
      this.#at++;
      if (char === this.#escape && !this.#options.rawEscapes) {
        const next = this.#peek();
        // An escape at the very end stands for itself no more: it was a continuation.
        if (next === undefined) return;
        this.#at++;
        result.push(next);
        words.addQuoted(next);
        return;
      }
      if (char === this.#escape) {
        const next = this.#peek() ?? '';
        this.#at += next === '' ? 0 : 1;
        result.push(char + next);
        words.addQuoted(char + next);
        return;
      }
      result.push(char);
      if (/\s/.test(char)) words.addBlank();
      else words.addChar(char);
    }
  }

  /** Everything until the next quote is meant as it stands. */
  #singleQuotes(): string {
    const start = this.#at++;
    while (this.#peek() !== "'") {
      if (this.#peek() === undefined)
        throw this.#error('unexpected end of statement while looking for matching single-quote');
      this.#at++;
    }
    this.#at++;
    const quoted = this.#chars.slice(start, this.#at).join('');
    return this.#options.rawQuotes ? quoted : quoted.slice(1, -1);
  }

  /** Variables are expanded; the escape only escapes `$`, `"` and itself. */
  #doubleQuotes(): string {
    const parts: string[] = [];
    this.#at++;
    if (this.#options.rawQuotes) parts.push('"');
    for (;;) {
      const char = this.#peek();
      if (char === undefined) throw this.#error('unexpected end of statement while looking for matching double-quote');
      if (char === '$') {
        parts.push(this.#dollar());
        continue;
      }
      this.#at++;
      if (char === '"') break;
      if (char !== this.#escape) {
        parts.push(char);
        continue;
      }
      if (this.#options.rawEscapes) parts.push(char);
      const next = this.#peek();
      if (next === undefined) throw this.#error('unexpected end of statement while looking for matching double-quote');
      if (next !== '"' && next !== '$' && next !== this.#escape && !this.#options.rawEscapes) parts.push(char);
      parts.push(next);
      this.#at++;
    }
    if (this.#options.rawQuotes) parts.push('"');
    return parts.join('');
  }

  #dollar(): string {
    const start = this.#at++;
    if (this.#peek() === '{') return this.#braces(start);
    const name = this.#name();
    if (name === '') return '$';
    const value = this.#lookup(name);
    if (value === undefined && this.#options.skipUnset) return `$${name}`;
    return value ?? '';
  }

  #braces(start: number): string {
    this.#at++;
    if (this.#peek() === undefined) throw this.#error('syntax error: missing "}"');
    if (this.#peek() === '{' || this.#peek() === '}' || this.#peek() === ':')
      throw this.#error('syntax error: bad substitution');
    const name = this.#name();
    const operator = this.#peek();
    this.#at++;
    if (operator === '}') {
      const value = this.#lookup(name);
      if (value === undefined && this.#options.skipUnset) return `\${${name}}`;
      return value ?? '';
    }
    if (operator === ':') {
      const modifier = this.#peek();
      this.#at++;
      if (modifier === '+' || modifier === '-' || modifier === '?')
        return this.#conditional(name, modifier, true, start);
      throw this.#error(`unsupported modifier (${modifier ?? ''}) in substitution`);
    }
    if (operator === '+' || operator === '-' || operator === '?')
      return this.#conditional(name, operator, false, start);
    if (operator === '#' || operator === '%') return this.#trim(name, operator, start);
    if (operator === '/') return this.#replace(name, start);
    if (operator === undefined) throw this.#error('syntax error: missing "}"');
    throw this.#error(`unsupported modifier (${operator}) in substitution`);
  }

  #conditional(name: string, modifier: string, emptyIsUnset: boolean, start: number): string {
    const { result: word } = this.run('}');
    const value = this.#lookup(name);
    const set = value !== undefined && !(emptyIsUnset && value === '');
    if (modifier === '+') return set ? word : '';
    if (set) return value;
    if (modifier === '-') return word;
    if (this.#options.skipUnset) return this.#chars.slice(start, this.#at).join('');
    const why = word === '' ? `is not allowed to be ${emptyIsUnset ? 'empty or ' : ''}unset` : word;
    throw invalidArgument(`${name}: ${why}`);
  }

  /** `${v#p}`, `${v##p}`, `${v%p}`, `${v%%p}`. */
  #trim(name: string, operator: string, start: number): string {
    const longest = this.#peek() === operator;
    if (longest) this.#at++;
    const pattern = this.#pattern('}');
    const value = this.#lookup(name);
    if (value === undefined) return this.#options.skipUnset ? this.#chars.slice(start, this.#at).join('') : '';
    const matches = compilePattern(pattern);
    const lengths = Array.from({ length: value.length + 1 }, (_, i) => (longest ? value.length - i : i));
    const hit = lengths.find((length) =>
      matches(operator === '#' ? value.slice(0, length) : value.slice(value.length - length)),
    );
    if (hit === undefined) return value;
    return operator === '#' ? value.slice(hit) : value.slice(0, value.length - hit);
  }

  /** `${v/p/r}`, `${v//p/r}`: the longest match at each place. */
  #replace(name: string, start: number): string {
    const all = this.#peek() === '/';
    if (all) this.#at++;
    const pattern = this.#pattern('/');
    const { result: replacement } = this.run('}');
    const value = this.#lookup(name);
    if (value === undefined) return this.#options.skipUnset ? this.#chars.slice(start, this.#at).join('') : '';
    if (pattern === '') return value;
    const matches = compilePattern(pattern);
    let result = '';
    for (let at = 0; at < value.length; ) {
      const end = longestMatch(value, at, matches);
      if (end === undefined) {
        result += value.charAt(at++);
        continue;
      }
      result += replacement;
      at = end;
      if (!all) return result + value.slice(at);
    }
    return result;
  }

  /** A pattern's text: variables are expanded, escapes are kept for the matcher. */
  #pattern(stop: string): string {
    const parts: string[] = [];
    for (;;) {
      const char = this.#peek();
      if (char === undefined) throw this.#error(`unexpected end of statement while looking for matching ${stop}`);
      if (char === '$') {
        parts.push(this.#dollar());
        continue;
      }
      this.#at++;
      if (char === stop) return parts.join('');
      if (char === this.#escape) {
        const next = this.#peek() ?? '';
        this.#at += next === '' ? 0 : 1;
        parts.push(`\\${next}`);
      } else if (char === '"' || char === "'") {
        this.#at--;
        parts.push(char === '"' ? this.#doubleQuotes() : this.#singleQuotes());
      } else parts.push(char);
    }
  }

  /** Letters, digits and underscores; a leading digit or a special parameter is one character long. */
  #name(): string {
    const first = this.#peek() ?? '';
    if (/[0-9]/.test(first)) {
      const start = this.#at;
      while (/[0-9]/.test(this.#peek() ?? '')) this.#at++;
      return this.#chars.slice(start, this.#at).join('');
    }
    if (/[@*#?$!-]/.test(first)) {
      this.#at++;
      return first;
    }
    const start = this.#at;
    while (/[A-Za-z0-9_]/.test(this.#peek() ?? '')) this.#at++;
    return this.#chars.slice(start, this.#at).join('');
  }

  #lookup(name: string): string | undefined {
    const value = this.#environment.get(name);
    (value === undefined ? this.unmatched : this.matched).add(name);
    return value;
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #error(what: string): Error {
    return invalidArgument(`failed to process ${JSON.stringify(this.#text.slice(0, 200))}: ${what}`);
  }
}

/** Here `*` and `?` also match slashes. */
function compilePattern(pattern: string): (text: string) => boolean {
  const quoted = pattern.replace(/\[/g, '\\[');
  const matches = compileGoMatch(quoted);
  // A slash is hidden behind a character that no path holds, so that wildcards cross it.
  const hide = (text: string) => text.replaceAll('/', '\u0000');
  const hidden = compileGoMatch(hide(quoted));
  return (text) => matches(text) || hidden(hide(text));
}

function longestMatch(value: string, at: number, matches: (text: string) => boolean): number | undefined {
  for (let end = value.length; end > at; end--) if (matches(value.slice(at, end))) return end;
  return undefined;
}
