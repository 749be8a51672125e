import type { KeyValue } from './instruction.ts';
import { ParseFailure } from './parse-failure.ts';

/** A JSON array of strings, or undefined when the text is anything else: it is then taken as plain words. */
export function readJsonForm(text: string): readonly string[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((each) => typeof each === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Words separated by blanks; quotes and escapes keep their meaning for later. */
export function readWords(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** Words in which quotes and escapes may hold blanks; both stay in the words, for the expansion to undo. */
export function readQuotedWords(text: string, escapeChar: string): string[] {
  const words: string[] = [];
  let word = '';
  let inWord = false;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (quote === '' && /\s/.test(char)) {
      if (inWord) words.push(word);
      [word, inWord] = ['', false];
      continue;
    }
    inWord = true;
    word += char;
    if (char === escapeChar && quote !== "'" && at + 1 < text.length) word += text.charAt(++at);
    else if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
  }
  if (inWord) words.push(word);
  return words;
}

/** `K=V K=V …`, or the old `K rest of the line`. */
export function readKeyValues(text: string, instruction: string, escapeChar: string): KeyValue[] {
  const words = readQuotedWords(text, escapeChar);
  const [first = ''] = words;
  if (!first.includes('=')) {
    const match = /^(\S+)\s+([\s\S]+)$/.exec(text.trim());
    if (!match) throw new ParseFailure(`${instruction} must have two arguments`);
    return [{ key: match[1] ?? '', value: match[2] ?? '', legacy: true }];
  }
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 0)
      throw new ParseFailure(`Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`);
    if (equals === 0) throw new ParseFailure(`${instruction} names can not be blank`);
    return { key: word.slice(0, equals), value: word.slice(equals + 1) };
  });
}
