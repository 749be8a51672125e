import type { Heredoc } from './instruction.ts';
import { expandWords } from './shell-word.ts';
import { isBlank } from './word-list.ts';

/** `3<<-"EOF"`: what a token announces, before its lines are read. */
export interface HeredocToken {
  readonly name: string;
  readonly expand: boolean;
  readonly stripTabs: boolean;
  readonly fileDescriptor: number;
}

const tokenForm = /^(\d{0,9})<<(-?)([^<]*)$/;

/** The heredocs that an instruction's line announces, in order; quotes around other text hide it. */
export function findHeredocs(line: string, escapeChar: string): HeredocToken[] {
  if (!line.includes('<<')) return [];
  return shellWords(line, escapeChar).flatMap((word) => parseHeredocToken(word) ?? []);
}

/** Any quote in the delimiter turns expansion off; an escape does not. */
export function parseHeredocToken(word: string): HeredocToken | undefined {
  const match = tokenForm.exec(word);
  if (!match) return undefined;
  const [, descriptor = '', dash] = match;
  const delimiter = match[3]?.trimStart() ?? '';
  const name = unquote(delimiter, false);
  if (name === undefined || name === '') return undefined;
  return {
    name,
    expand: unquote(delimiter, true) === name,
    stripTabs: dash === '-',
    fileDescriptor: descriptor === '' ? 0 : Number(descriptor),
  };
}

/** One word as a shell reads it; undefined when a quote is left open or there is not exactly one. */
function unquote(text: string, rawQuotes: boolean): string | undefined {
  try {
    const words = expandWords(text, new Map(), { skipUnset: true, rawQuotes });
    return words.length === 1 ? words[0] : undefined;
  } catch {
    return undefined;
  }
}

/** Splits at blanks outside quotes; quotes stay in the words. `<< EOF` is one word. */
function shellWords(line: string, escapeChar: string): string[] {
  const found: string[] = [];
  let start = -1;
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (quote === '' && isBlank(char)) {
      if (start < 0 || announces(line, start, at)) continue;
      found.push(line.slice(start, at));
      start = -1;
      continue;
    }
    if (start < 0) start = at;
    if (char === escapeChar && quote !== "'") at++;
    else if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
  }
  if (start >= 0) found.push(line.slice(start));
  return found;
}

/** Whether the word so far is only `<<` or `<<-`, with blanks behind it: its delimiter is yet to come. */
function announces(line: string, start: number, end: number): boolean {
  return end - start <= 100 && /^\d*<<-?\s*$/.test(line.slice(start, end));
}

/** Collects a heredoc's body from the lines after its instruction, line ends as they are; undefined when its end is missing. */
export function readHeredoc(
  token: HeredocToken,
  lines: readonly string[],
  from: number,
): { readonly heredoc: Heredoc; readonly next: number } | undefined {
  const body: string[] = [];
  for (let at = from; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const text = token.stripTabs ? withoutTabs(line) : line;
    if (withoutReturns(text) === token.name) {
      const content = body.map((each) => `${each}\n`).join('');
      return { heredoc: { ...token, content }, next: at + 1 };
    }
    body.push(text);
  }
  return undefined;
}

function withoutTabs(line: string): string {
  let at = 0;
  while (line.charAt(at) === '\t') at++;
  return line.slice(at);
}

/** A line without the carriage returns at its end. */
export function withoutReturns(line: string): string {
  let end = line.length;
  while (end > 0 && line.charAt(end - 1) === '\r') end--;
  return line.slice(0, end);
}
