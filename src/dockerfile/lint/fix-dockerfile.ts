import { parseDockerfile } from '../parse-dockerfile.ts';
import { fixes } from './fixes.ts';

/** A warning, as far as mending needs it. */
export interface Fixable {
  readonly rule: string;
  /** 1-based. */
  readonly line: number;
  readonly message: string;
}

/** Lines of the file as they were and as they are now. */
export interface Change {
  /** 1-based, in the file as it was. */
  readonly line: number;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

export interface FixedDockerfile {
  readonly text: string;
  readonly changes: readonly Change[];
  /** How many warnings have gone. */
  readonly fixed: number;
}

/** Mends what can be mended without a person. Line ends, comments and everything that no warning is about stay as they are. */
export function fixDockerfile(text: string, warnings: readonly Fixable[]): FixedDockerfile {
  const lines = text.split('\n');
  const changes: Change[] = [];
  let fixed = 0;
  for (const { range, emptyContinuation } of parseDockerfile(text).lines) {
    // Heredocs belong to the instruction, but no fix reaches into them.
    const last = emptyContinuation ?? range.endLine;
    const own = warnings.filter(({ line }) => range.startLine <= line && line <= range.endLine);
    const before = lines.slice(range.startLine - 1, last);
    const { after, count } = fixInstruction(before, own);
    if (count === 0) continue;
    fixed += count;
    changes.push({ line: range.startLine, before, after });
  }
  for (const { line, before, after } of changes.toReversed()) lines.splice(line - 1, before.length, ...after);
  return { text: lines.join('\n'), changes, fixed };
}

function fixInstruction(
  before: readonly string[],
  warnings: readonly Fixable[],
): { readonly after: readonly string[]; readonly count: number } {
  const end = before.some((line) => line.endsWith('\r')) ? '\r' : '';
  let after = before.map((line) => line.replace(/\r$/, ''));
  let count = 0;
  for (const { rule, message } of warnings) {
    const changed = fixes.get(rule)?.(after, message);
    if (!changed) continue;
    after = [...changed];
    count++;
  }
  return { after: after.map((line) => line + end), count };
}
