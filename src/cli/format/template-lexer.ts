import { invalidArgument, type SlipwayError } from '../../base/errors.ts';

export type Token =
  /** `.`, `.Name`, `$`, `$name`, a word, an operator or a parenthesis; `spaced` when white space stands before it. */
  | { readonly kind: 'symbol'; readonly text: string; readonly spaced: boolean }
  | { readonly kind: 'text'; readonly text: string; readonly spaced: boolean }
  | { readonly kind: 'number'; readonly value: number; readonly spaced: boolean };

/** Literal text, or the tokens of one `{{…}}`. */
export type Piece =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[] };

const longestTemplate = 65_536;

export function templateError(what: string): SlipwayError {
  return invalidArgument(`template parsing error: ${what}`, {
    hint: 'templates are Go templates, such as {{.ID}} or {{json .}}',
  });
}

/** Cuts a template into text and actions; `{{-` and `-}}` eat the white space beside them. */
export function lexTemplate(template: string): Piece[] {
  if (template.length > longestTemplate) throw templateError('the template is too long');
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  for (;;) {
    const open = template.indexOf('{{', at);
    let literal = template.slice(at, open < 0 ? undefined : open);
    if (trimNext) literal = literal.trimStart();
    const trimsLeft = open >= 0 && /^\{\{-\s/.test(template.slice(open, open + 4));
    if (trimsLeft) literal = literal.trimEnd();
    if (literal !== '') pieces.push({ kind: 'literal', text: literal });
    if (open < 0) return pieces;
    const action = lexAction(template, open + (trimsLeft ? 3 : 2));
    if (action.tokens.length > 0) pieces.push({ kind: 'action', tokens: action.tokens });
    trimNext = action.trimsRight;
    at = action.end;
  }
}

const comment = /\s*\/\*[\s\S]*?\*\//y;
const closing = /(\s-)?\s*\}\}/y;
const token =
  /(\s*)(?:"((?:[^"\\\n]|\\.)*)"|`([^`]*)`|'((?:[^'\\\n]|\\.)+)'|([+-]?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?))|(\.[\p{L}_][\p{L}\p{N}_]*|\$[\p{L}\p{N}_]*|[\p{L}_][\p{L}\p{N}_]*|:=|[=.,()|]))/uy;

function lexAction(template: string, start: number) {
  const tokens: Token[] = [];
  let at = start;
  comment.lastIndex = at;
  if (comment.test(template)) at = comment.lastIndex;
  for (;;) {
    closing.lastIndex = at;
    const close = closing.exec(template);
    if (close) return { tokens, end: closing.lastIndex, trimsRight: close[1] !== undefined };
    token.lastIndex = at;
    const match = token.exec(template);
    if (!match) throw at >= template.trimEnd().length ? templateError('unclosed action') : unexpected(template, at);
    tokens.push(tokenOf(match));
    at = token.lastIndex;
  }
}

function tokenOf([, space, quoted, raw, character, digits, symbol]: RegExpExecArray): Token {
  const spaced = (space ?? '') !== '';
  if (quoted !== undefined) return { kind: 'text', text: unquote(quoted), spaced };
  if (raw !== undefined) return { kind: 'text', text: raw, spaced };
  if (character !== undefined) return { kind: 'number', value: unquote(character).codePointAt(0) ?? 0, spaced };
  if (digits !== undefined) return { kind: 'number', value: Number(digits), spaced };
  return { kind: 'symbol', text: symbol ?? '', spaced };
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };

function unquote(text: string): string {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))/g, (_, hex, unicode, one) =>
    one === undefined ? String.fromCharCode(Number.parseInt(hex ?? unicode, 16)) : (escapes[one] ?? one),
  );
}

function unexpected(template: string, at: number): SlipwayError {
  return templateError(`unexpected ${JSON.stringify(template.slice(at).trimStart().slice(0, 10))} in an action`);
}
