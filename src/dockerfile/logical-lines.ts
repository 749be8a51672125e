import type { Diagnostic } from './diagnostic.ts';
import { findHeredocs, readHeredoc } from './heredoc.ts';
import type { Heredoc, SourceRange } from './instruction.ts';

/** One instruction's text: continuation lines joined, comments within it dropped. */
export interface LogicalLine {
  readonly text: string;
  readonly range: SourceRange;
  readonly heredocs: readonly Heredoc[];
  /** Comment lines directly above, without `#`. */
  readonly comments: readonly string[];
  /** Lines of the file as they stand, heredocs included. */
  readonly original: string;
  /** 1-based lines that were empty inside the continuation. */
  readonly emptyContinuations: readonly number[];
}

/** Docker reads lines of at most this many bytes. */
export const lineLimit = 64 * 1024;

const withHeredocs = /^\s*(?:ONBUILD\s+)*(ADD|COPY|RUN)\b/i;

/** Joins lines into instructions. Linear in the file's length. */
export function joinLines(
  lines: readonly string[],
  escapeChar: string,
): { readonly lines: LogicalLine[]; readonly diagnostics: Diagnostic[] } {
  const found: LogicalLine[] = [];
  const diagnostics: Diagnostic[] = [];
  let comments: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? '';
    const trimmed = line.trimStart();
    if (trimmed === '' || trimmed.startsWith('#')) {
      comments = trimmed === '' ? [] : [...comments, trimmed.slice(1).trim()];
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
  const emptyContinuations: number[] = [];
  let at = start;
  let last = start;
  for (let open = true; open && at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (line.length > lineLimit) {
      diagnostics.push(lineError(at, line, `line is longer than ${lineLimit} bytes`));
    }
    const trimmed = line.trimStart();
    if (parts.length > 0 && (trimmed === '' || trimmed.startsWith('#'))) {
      if (trimmed === '') emptyContinuations.push(at + 1);
      continue;
    }
    const body = parts.length === 0 ? trimmed : line;
    const cut = continued(body, escapeChar);
    open = cut !== undefined;
    parts.push(cut ?? body.replace(/\s+$/, ''));
    last = at;
  }
  let next = last + 1;
  const text = parts.join('');
  const heredocs: Heredoc[] = [];
  if (withHeredocs.test(text) && !/^\s*(?:ONBUILD\s+)*\w+\s+(?:--\S+\s+)*\[/i.test(text)) {
    for (const token of findHeredocs(text, escapeChar)) {
      const read = readHeredoc(token, lines, next);
      if (!read) {
        diagnostics.push(
          lineError(
            start,
            lines[start] ?? '',
            `unterminated heredoc: there is no line that is just ${JSON.stringify(token.name)}`,
          ),
        );
        next = lines.length;
        break;
      }
      heredocs.push(read.heredoc);
      next = read.next;
    }
  }
  const range = {
    startLine: start + 1,
    startCharacter: 0,
    endLine: next,
    endCharacter: (lines[next - 1] ?? '').length,
  };
  const original = lines.slice(start, next).join('\n');
  return [{ text, range, heredocs, comments, original, emptyContinuations }, next];
}

/** The text before the escape character that ends the line, or undefined when the instruction ends with it. */
function continued(line: string, escapeChar: string): string | undefined {
  const end = line.trimEnd();
  if (!end.endsWith(escapeChar)) return undefined;
  return end.slice(0, -1);
}

function lineError(at: number, line: string, message: string): Diagnostic {
  return {
    severity: 'error',
    rule: 'ParseError',
    message,
    range: { startLine: at + 1, startCharacter: 0, endLine: at + 1, endCharacter: line.length },
  };
}
