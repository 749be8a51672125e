import { SlipwayError } from '../base/errors.ts';
import type { SourceRange } from './instruction.ts';

/** Something to say about a Dockerfile, with its place. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** Name of the lint rule, or of the kind of error. */
  readonly rule: string;
  readonly message: string;
  readonly range: SourceRange;
  readonly hint?: string | undefined;
  /** What the rule is about, and where there is more to read. */
  readonly description?: string | undefined;
  readonly url?: string | undefined;
}

/** All errors of a Dockerfile at once. */
export class DockerfileError extends SlipwayError {
  readonly diagnostics: readonly Diagnostic[];
  readonly filename: string;
  readonly source: string;

  constructor(diagnostics: readonly Diagnostic[], filename: string, source: string) {
    const lines = diagnostics.map(
      ({ message, range, hint }) =>
        `${filename}:${range.startLine}: ${message}${hint === undefined ? '' : ` (${hint})`}`,
    );
    super(
      'invalid-argument',
      diagnostics.length === 1
        ? `dockerfile parse error on line ${diagnostics[0]?.range.startLine}: ${diagnostics[0]?.message}`
        : `dockerfile parse errors:\n${lines.join('\n')}`,
      {
        hint: diagnostics.length === 1 ? diagnostics[0]?.hint : undefined,
      },
    );
    this.name = 'DockerfileError';
    this.diagnostics = diagnostics;
    this.filename = filename;
    this.source = source;
  }
}

/** A longer line is cut where it is shown. Characters. */
const shownWidth = 500;

/** The lines around a place, the meant ones marked, as BuildKit prints them: two around a single line, one around more. */
export function drawSource(
  source: string,
  filename: string,
  ranges: readonly { readonly startLine: number; readonly endLine: number }[],
): string {
  if (ranges.length === 0) return '';
  const lines = source.split('\n');
  const start = Math.min(...ranges.map((range) => range.startLine));
  const end = Math.max(start, ...ranges.map((range) => range.endLine));
  const around = start === end ? 2 : 1;
  const last = Math.min(lines.length, end + around);
  const marked = (line: number) => ranges.some((range) => range.startLine <= line && line <= range.endLine);
  const rule = '-'.repeat(20);
  const drawn: string[] = [`${filename}:${start}`, rule];
  for (let line = Math.max(1, start - around); line <= last; line++) {
    const text = lines[line - 1] ?? '';
    const shown = text.length > shownWidth ? `${text.slice(0, shownWidth)}…` : text;
    drawn.push(` ${`${line}`.padStart(3)} | ${marked(line) ? '>>>' : '   '} ${shown}`);
  }
  return [...drawn, rule].join('\n');
}

/** The nearest of some words, for "did you mean", or undefined when none is near. */
export function suggest(word: string, among: readonly string[]): string | undefined {
  const limit = word.length <= 2 ? 1 : Math.max(2, Math.ceil(word.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of among) {
    if (Math.abs(candidate.length - word.length) > limit) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Letters put in, left out or changed; two that are swapped count once. */
function editDistance(a: string, b: string): number {
  if (a.length > 100 || b.length > 100) return 100;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) next[j] = Math.min(next[j] ?? 0, (before[j - 2] ?? 0) + 1);
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
