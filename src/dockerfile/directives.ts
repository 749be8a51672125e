import type { Diagnostic } from './diagnostic.ts';

/** `# key=value` at the very top (reference.md "Parser directives"). */
export interface Directives {
  readonly syntax?: string;
  readonly escape: '\\' | '`';
  readonly check?: string;
}

const known = new Set(['syntax', 'escape', 'check']);

/** Reads directives until the first line that is none; `count` says how many lines they are. */
export function readDirectives(lines: readonly string[]): {
  readonly directives: Directives;
  readonly count: number;
  readonly diagnostics: Diagnostic[];
} {
  const found = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];
  const complain = (rule: string, message: string, line: number, hint?: string) => {
    const range = { startLine: line, startCharacter: 0, endLine: line, endCharacter: lines[line - 1]?.length ?? 0 };
    diagnostics.push({ severity: 'error', rule, message, range, hint });
  };
  let count = 0;
  for (; count < lines.length; count++) {
    const directive = readDirective(lines[count] ?? '', '#');
    if (!directive) break;
    const { key, value } = directive;
    if (found.has(key)) complain('DuplicateDirective', `only one ${key} parser directive can be used`, count + 1);
    else if (key === 'escape' && value !== '\\' && value !== '`')
      complain('InvalidEscape', `invalid escape token '${value}' does not match \` or \\`, count + 1);
    else found.set(key, value);
  }
  const [syntax, check] = [found.get('syntax'), found.get('check')];
  const directives: Directives = {
    escape: found.get('escape') === '`' ? '`' : '\\',
    ...(syntax === undefined ? {} : { syntax }),
    ...(check === undefined ? {} : { check }),
  };
  return { directives, count, diagnostics };
}

/** One line's `key=value` behind the comment sign, when the key is a known one. */
export function readDirective(
  line: string,
  comment: string,
): { readonly key: string; readonly value: string } | undefined {
  const text = line.trimStart();
  if (!text.startsWith(comment)) return undefined;
  const body = text.slice(comment.length).trim();
  const equals = body.indexOf('=');
  if (equals < 0 || equals > 100) return undefined;
  const key = body.slice(0, equals).trimEnd().toLowerCase();
  const value = body.slice(equals + 1).trimStart();
  return known.has(key) && value !== '' ? { key, value } : undefined;
}

/** Directives are looked for in this much of a file. Characters. */
const headLimit = 64 * 1024;
/** A larger JSON document is not read just to find its syntax. Characters. */
const jsonLimit = 1024 * 1024;

/**
 * The frontend image that a file asks for: `# syntax=` after an optional `#!` line, the same behind `//`, or a JSON object's
 * "syntax". Of the value only the first word counts.
 */
export function detectSyntax(text: string): string | undefined {
  const whole = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const body = whole.startsWith('#!') && whole.includes('\n') ? whole.slice(whole.indexOf('\n') + 1) : whole;
  const lines = body.slice(0, headLimit).split('\n');
  for (const comment of ['#', '//']) {
    for (const line of lines) {
      const directive = readDirective(line, comment);
      if (!directive) break;
      if (directive.key === 'syntax') return firstWord(directive.value);
    }
  }
  if (!body.trimStart().startsWith('{') || body.length > jsonLimit) return undefined;
  try {
    const value: unknown = JSON.parse(body);
    const syntax = typeof value === 'object' && value !== null && 'syntax' in value ? value.syntax : undefined;
    return typeof syntax === 'string' ? syntax : undefined;
  } catch {
    return undefined;
  }
}

function firstWord(text: string): string {
  return text.split(' ', 1)[0] ?? text;
}
