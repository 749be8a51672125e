import type { Heredoc } from './instruction.ts';

/** `3<<-"EOF"`: what a token announces, before its lines are read. */
export interface HeredocToken {
  readonly name: string;
  readonly expand: boolean;
  readonly stripTabs: boolean;
  readonly fileDescriptor: number;
}

const tokenForm = /^(\d*)<<(-?)([^<]*)$/;

/** The heredocs that an instruction's line announces, in order; quotes around other text hide it. */
export function findHeredocs(line: string, escapeChar: string): HeredocToken[] {
  return words(line, escapeChar).flatMap((word) => parseHeredocToken(word) ?? []);
}

export function parseHeredocToken(word: string): HeredocToken | undefined {
  const match = tokenForm.exec(word);
  if (!match) return undefined;
  const [, descriptor = '', dash, delimiter = ''] = match;
  const name = unquote(delimiter);
  if (name === undefined || name === '' || /[\s<]/.test(name)) return undefined;
  return {
    name,
    expand: name === delimiter,
    stripTabs: dash === '-',
    fileDescriptor: descriptor === '' ? 0 : Number(descriptor),
  };
}

/** Strips quotes as a shell would; undefined when one is left open. */
function unquote(text: string): string | undefined {
  let result = '';
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '\\') result += text.charAt(++at);
    else if (char === '"' || char === "'") {
      const end = text.indexOf(char, at + 1);
      if (end < 0) return undefined;
      result += text.slice(at + 1, end);
      at = end;
    } else result += char;
  }
  return result;
}

/** Splits at blanks outside quotes; quotes stay in the words. `<< EOF` is one word. */
function words(line: string, escapeChar: string): string[] {
  const found: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (quote !== '') {
      word += char;
      if (char === escapeChar && quote === '"') word += line.charAt(++at);
      else if (char === quote) quote = '';
    } else if (char === escapeChar) word += char + line.charAt(++at);
    else if (char === '"' || char === "'") {
      quote = char;
      word += char;
    } else if (/\s/.test(char)) {
      if (/^\d*<<-?$/.test(word)) continue;
      if (word !== '') found.push(word);
      word = '';
    } else word += char;
  }
  if (word !== '') found.push(word);
  return found;
}

/** Collects a heredoc's body from the lines after its instruction; undefined when its end is missing. */
export function readHeredoc(
  token: HeredocToken,
  lines: readonly string[],
  from: number,
): { readonly heredoc: Heredoc; readonly next: number } | undefined {
  const body: string[] = [];
  for (let at = from; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const text = token.stripTabs ? line.replace(/^\t+/, '') : line;
    if (text === token.name) {
      const content = body.map((each) => `${each}\n`).join('');
      return { heredoc: { ...token, content }, next: at + 1 };
    }
    body.push(text);
  }
  return undefined;
}
