import { invalidArgument } from '../base/errors.ts';

/** One piece of a wildcard pattern. */
type Token =
  | { readonly kind: 'character'; readonly text: string }
  | {
      readonly kind: 'class';
      readonly negated: boolean;
      readonly ranges: readonly (readonly [string, string])[];
      /** `.dockerignore` lets it stand for a slash too. */
      readonly crosses: boolean;
    }
  /** `?` and `*`, which stay inside a path component. */
  | { readonly kind: 'one' | 'star' }
  /** Any text; any number of whole components. */
  | { readonly kind: 'deep' | 'components' };

/**
 * Compiles Go's `filepath.Match`: `*` and `?` stay inside one path component, `[…]` is a class, `\` quotes. Docker's wildcards are
 * defined by it. With `doubleStar`, `**` crosses components as in `.dockerignore`. Throws on a malformed pattern. Matching takes
 * time proportional to the lengths of pattern and path, whatever they are.
 */
export function compileGoMatch(
  pattern: string,
  options: { readonly doubleStar?: boolean } = {},
): (path: string) => boolean {
  const tokens = tokenize(pattern, options.doubleStar === true);
  return (path) => simulate(tokens, path);
}

/** Whether the pattern has anything but plain text. */
export function hasWildcard(pattern: string): boolean {
  return /[*?[\\]/.test(pattern);
}

function tokenize(pattern: string, doubleStar: boolean): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; ) {
    const char = pattern.charAt(at);
    if (char === '*') {
      if (doubleStar && pattern.charAt(at + 1) === '*') {
        tokens.push({ kind: doubleStarKind(pattern, at) });
        at += pattern.charAt(at + 2) === '/' ? 3 : 2;
      } else {
        tokens.push({ kind: 'star' });
        at++;
      }
    } else if (char === '?') {
      tokens.push({ kind: 'one' });
      at++;
    } else if (char === '[') {
      const [token, next] = tokenizeClass(pattern, at, doubleStar);
      tokens.push(token);
      at = next;
    } else {
      if (char === '\\') at++;
      const text = characterAt(pattern, at);
      tokens.push({ kind: 'character', text });
      at += text.length;
    }
  }
  return tokens;
}

/** Any text at the end, and in front of plain text; else whole components, also without a slash after it. */
function doubleStarKind(pattern: string, at: number): 'deep' | 'components' {
  const rest = pattern.slice(at + 2);
  const isSuffix = at === 0 && /^[^/*?[\]\\][^*?[\]\\]*$/.test(rest);
  return rest === '' || rest === '/' || isSuffix ? 'deep' : 'components';
}

function tokenizeClass(pattern: string, start: number, crosses: boolean): [Token, number] {
  const negated = pattern.charAt(start + 1) === '^';
  let at = start + (negated ? 2 : 1);
  const ranges: [string, string][] = [];
  const character = (): string => {
    if (pattern.charAt(at) === '-' || pattern.charAt(at) === ']') throw malformed(pattern);
    if (pattern.charAt(at) === '\\') at++;
    const text = characterAt(pattern, at);
    at += text.length;
    return text;
  };
  do {
    const low = character();
    let high = low;
    if (pattern.charAt(at) === '-') {
      at++;
      high = character();
    }
    ranges.push([low, high]);
  } while (pattern.charAt(at) !== ']');
  return [{ kind: 'class', negated, ranges, crosses }, at + 1];
}

function characterAt(pattern: string, at: number): string {
  const point = pattern.codePointAt(at);
  if (point === undefined) throw malformed(pattern);
  return String.fromCodePoint(point);
}

function malformed(pattern: string): Error {
  return invalidArgument(`cannot use the pattern ${JSON.stringify(pattern.slice(0, 200))}: its syntax is wrong`, {
    hint: 'see to it that each [ has its ] and that it does not end in a backslash',
  });
}

/**
 * All places in the pattern that the path so far can have led to, carried along character by character. Place `i` means that
 * token `i` is next; place `n + i` that token `i` is in the middle of a component.
 */
function simulate(tokens: readonly Token[], path: string): boolean {
  const count = tokens.length;
  let places = new Uint8Array(2 * count + 2);
  let next = new Uint8Array(2 * count + 2);
  places[0] = 1;
  skipEmpty(tokens, places);
  for (const char of path) {
    next.fill(0);
    for (let i = 0; i < count; i++) {
      const token = tokens[i];
      if (!token) continue;
      if (places[i]) step(token, i, char, next, count);
      // Inside the components that `**/` stands for.
      if (places[count + 1 + i]) {
        next[count + 1 + i] = 1;
        if (char === '/') next[i + 1] = 1;
      }
    }
    skipEmpty(tokens, next);
    [places, next] = [next, places];
  }
  return places[count] === 1;
}

function step(token: Token, i: number, char: string, next: Uint8Array, count: number): void {
  switch (token.kind) {
    case 'character':
      if (char === token.text) next[i + 1] = 1;
      break;
    case 'class':
      if (
        (token.crosses || char !== '/') &&
        token.ranges.some(([low, high]) => low <= char && char <= high) !== token.negated
      )
        next[i + 1] = 1;
      break;
    case 'one':
      if (char !== '/') next[i + 1] = 1;
      break;
    case 'star':
      if (char !== '/') next[i] = 1;
      break;
    case 'deep':
      next[i] = 1;
      break;
    case 'components':
      next[count + 1 + i] = 1;
      if (char === '/') next[i + 1] = 1;
      break;
  }
}

/** Tokens that may stand for nothing are also passed by. */
function skipEmpty(tokens: readonly Token[], places: Uint8Array): void {
  for (const [i, { kind }] of tokens.entries()) {
    if (places[i] && (kind === 'star' || kind === 'deep' || kind === 'components')) places[i + 1] = 1;
  }
}
