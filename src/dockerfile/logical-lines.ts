import { readJsonForm } from './arguments.ts';
import type { Diagnostic } from './diagnostic.ts';
import { splitFlags } from './flags.ts';
import { findHeredocs, type HeredocToken, readHeredoc, withoutReturns } from './heredoc.ts';
import type { Heredoc, SourceRange } from './instruction.ts';
import { ParseFailure } from './parse-failure.ts';

/** One instruction's text: continuation lines joined, comments within it dropped. */
export interface LogicalLine {
  readonly text: string;
  readonly range: SourceRange;
  readonly heredocs: readonly Heredoc[];
  /** Comment lines directly above, without `#`. */
  readonly comments: readonly string[];
  /** 1-based number of the line that ends the instruction, when there were empty lines within it. */
  readonly emptyContinuation?: number | undefined;
}

/** Docker reads lines of at most this many bytes. */
const lineLimit = 64 * 1024;

/** Joins lines, from the given one on, into instructions. Linear in the file's length. */
export function joinLines(
  lines: readonly string[],
  escapeChar: string,
  from = 0,
): { readonly lines: LogicalLine[]; readonly diagnostics: Diagnostic[] } {
  const found: LogicalLine[] = [];
  const diagnostics: Diagnostic[] = [];
  let comments: string[] = [];
  for (let at = from; at < lines.length; ) {
    const trimmed = (lines[at] ?? '').trim();
    if (trimmed === '' || trimmed.startsWith('#')) {
      const comment = trimmed.slice(1).trim();
      // An empty comment parts a description from what follows; an empty line does not.
      if (comment !== '') comments.push(comment);
      else if (trimmed !== '') comments = [];
      at++;
      continue;
    }
    const [logical, next] = joinOne(lines, at, escapeChar, comments, diagnostics);
    found.push(logical);
    comments = [];
    at = next;
  }
  return { lines: found, diagnostics };
}

function joinOne(
  lines: readonly string[],
  start: number,
  escapeChar: string,
  comments: readonly string[],
  diagnostics: Diagnostic[],
): [LogicalLine, number] {
  const parts: string[] = [];
  let hasEmptyLine = false;
  let last = start;
  for (let at = start, open = true; open && at < lines.length; at++) {
    const line = withoutReturns(lines[at] ?? '');
    if (line.length > lineLimit)
      diagnostics.push(lineError(at, line, `dockerfile line greater than max allowed size of ${lineLimit - 1}`));
    const trimmed = line.trimStart();
    if (at > start && (trimmed === '' || trimmed.startsWith('#'))) {
      hasEmptyLine ||= trimmed === '';
      continue;
    }
    const body = at === start ? trimmed : line;
    const cut = continued(body, escapeChar);
    open = cut !== undefined;
    parts.push(cut ?? body);
    last = at;
  }
  const text = parts.join('').trim();
  const { heredocs, next } = readHeredocs(text, lines, start, last + 1, escapeChar, diagnostics);
  const range = {
    startLine: start + 1,
    startCharacter: 0,
    endLine: next,
    endCharacter: withoutReturns(lines[next - 1] ?? '').length,
  };
  const emptyContinuation = hasEmptyLine ? last + 1 : undefined;
  return [{ text, range, heredocs, comments, emptyContinuation }, next];
}

function readHeredocs(
  text: string,
  lines: readonly string[],
  start: number,
  from: number,
  escapeChar: string,
  diagnostics: Diagnostic[],
): { readonly heredocs: readonly Heredoc[]; readonly next: number } {
  const heredocs: Heredoc[] = [];
  let next = from;
  for (const token of announcedHeredocs(text, escapeChar)) {
    const read = readHeredoc(token, lines, next);
    if (!read) {
      const message = `unterminated heredoc: there is no line that is just ${JSON.stringify(token.name)}`;
      diagnostics.push(lineError(start, lines[start] ?? '', message));
      return { heredocs, next: lines.length };
    }
    heredocs.push(read.heredoc);
    next = read.next;
  }
  return { heredocs, next };
}

const withHeredocs = /^(?:ONBUILD\s+)?(?:ADD|COPY|RUN)\s/i;

/** Only ADD, COPY and RUN have heredocs, and not in JSON form. */
function announcedHeredocs(text: string, escapeChar: string): readonly HeredocToken[] {
  const instruction = text.includes('<<') ? withHeredocs.exec(text)?.[0] : undefined;
  if (instruction === undefined) return [];
  const { rest } = splitFlags(text.slice(instruction.length), escapeChar);
  try {
    if (readJsonForm(rest)) return [];
  } catch (error) {
    if (error instanceof ParseFailure) return [];
    throw error;
  }
  return findHeredocs(rest, escapeChar);
}

/** The text before the escape character that ends the line, or undefined when the instruction ends with it. */
function continued(line: string, escapeChar: string): string | undefined {
  let end = line.length;
  while (end > 0 && (line.charAt(end - 1) === ' ' || line.charAt(end - 1) === '\t')) end--;
  if (line.charAt(end - 1) !== escapeChar || line.charAt(end - 2) === escapeChar) return undefined;
  return line.slice(0, end - 1);
}

function lineError(at: number, line: string, message: string): Diagnostic {
  return {
    severity: 'error',
    rule: 'ParseError',
    message,
    range: { startLine: at + 1, startCharacter: 0, endLine: at + 1, endCharacter: line.length },
  };
}
