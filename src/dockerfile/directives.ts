import type { Diagnostic } from './diagnostic.ts';

/** `# key=value` at the very top (reference.md "Parser directives"). */
export interface Directives {
  readonly syntax?: string;
  readonly escape: '\\' | '`';
  readonly check?: string;
}

const form = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;
const known = new Set(['syntax', 'escape', 'check']);

/** Reads directives until the first line that is none. */
export function readDirectives(lines: readonly string[]): {
  readonly directives: Directives;
  readonly diagnostics: Diagnostic[];
} {
  const found = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];
  for (const [i, line] of lines.entries()) {
    const match = form.exec(line.trimStart());
    const key = match?.[1]?.toLowerCase();
    const value = match?.[2];
    if (key === undefined || value === undefined || !known.has(key)) break;
    const range = { startLine: i + 1, startCharacter: 0, endLine: i + 1, endCharacter: line.length };
    if (found.has(key)) {
      diagnostics.push({
        severity: 'error',
        rule: 'DuplicateDirective',
        message: `only one ${key} parser directive can be used`,
        range,
      });
    } else if (key === 'escape' && value !== '\\' && value !== '`') {
      const message = `invalid escape token ${JSON.stringify(value)} does not match \` or \\`;
      diagnostics.push({ severity: 'error', rule: 'InvalidEscape', message, range });
    } else found.set(key, value);
  }
  const [syntax, check] = [found.get('syntax'), found.get('check')];
  return {
    directives: {
      escape: found.get('escape') === '`' ? '`' : '\\',
      ...(syntax === undefined ? {} : { syntax }),
      ...(check === undefined ? {} : { check }),
    },
    diagnostics,
  };
}

/** The frontend that a file asks for: `# syntax=` after an optional `#!` line, `// syntax=`, or a JSON object's "syntax". */
export function detectSyntax(text: string): string | undefined {
  const body = text.replace(/^\uFEFF/, '').replace(/^#!.*\n/, '');
  const { directives } = readDirectives(body.slice(0, 64 * 1024).split(/\r?\n/));
  if (directives.syntax !== undefined) return directives.syntax;
  const slashes = /^\/\/\s*syntax\s*=\s*(.+?)\s*$/m.exec(
    body.slice(0, body.indexOf('\n') < 0 ? undefined : body.indexOf('\n')),
  );
  if (slashes?.[1] !== undefined) return slashes[1];
  if (!body.startsWith('{') || body.length > 1024 * 1024) return undefined;
  try {
    const { syntax } = JSON.parse(body);
    return typeof syntax === 'string' ? syntax : undefined;
  } catch {
    return undefined;
  }
}
