import type { KeyValue } from './instruction.ts';
import { ParseFailure } from './parse-failure.ts';
import { isBlank } from './word-list.ts';

/** A JSON array of strings; undefined when the text is no JSON array, to be taken as plain text. Throws ParseFailure on other items. */
export function readJsonForm(text: string): readonly string[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const items: readonly unknown[] = value;
  if (items.every((each) => typeof each === 'string')) return items;
  throw new ParseFailure(
    'when using JSON array syntax, arrays must be comprised of strings only',
    'put every item in double quotes',
  );
}

/** Words separated by blanks; quotes and escapes keep their meaning for later. */
export function readWords(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** Words in which quotes and escapes may hold blanks; both stay in the words, for the expansion to undo. */
export function readQuotedWords(text: string, escapeChar: string): string[] {
  const words: string[] = [];
  let start = -1;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (quote === '' && isBlank(char)) {
      if (start >= 0) words.push(text.slice(start, at));
      start = -1;
      continue;
    }
    if (start < 0) start = at;
    if (char === escapeChar && quote !== "'") at++;
    else if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
  }
  if (start >= 0) words.push(text.slice(start));
  return words;
}

/** Which quote a word leaves open, if any: its other half was cut off at a blank. */
export function openQuote(word: string, escapeChar: string): string | undefined {
  let quote = '';
  for (let at = 0; at < word.length; at++) {
    const char = word.charAt(at);
    if (char === escapeChar && quote !== "'") at++;
    else if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
  }
  return quote === '' ? undefined : quote;
}

/** `K=V K=V …`, or the old `K rest of the line`. */
export function readKeyValues(text: string, instruction: string, escapeChar: string): KeyValue[] {
  const words = readQuotedWords(text, escapeChar);
  const [first = ''] = words;
  if (!first.includes('=')) {
    const match = /^(\S+)\s+([\s\S]+)$/.exec(text.trim());
    if (!match) throw new ParseFailure(`${instruction} must have two arguments`, `write ${instruction} name=value`);
    return [{ key: match[1] ?? '', value: match[2] ?? '', legacy: true }];
  }
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 0)
      throw new ParseFailure(
        `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
        'put a value with blanks in double quotes',
      );
    if (equals === 0) throw new ParseFailure(`${instruction} names can not be blank`);
    return { key: word.slice(0, equals), value: word.slice(equals + 1) };
  });
}
