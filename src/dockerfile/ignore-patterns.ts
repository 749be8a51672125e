import { invalidArgument } from '../base/errors.ts';
import { compileGoMatch, hasWildcard } from './go-match.ts';

/**
 * The patterns of a `.dockerignore`: comments in the first column and blank lines left out, each cleaned as a path without
 * a leading slash (moby/patternmatcher, ignorefile).
 */
export function readIgnoreFile(text: string): string[] {
  const patterns: string[] = [];
  for (const line of text.replace(/^\uFEFF/, '').split('\n')) {
    if (line.startsWith('#')) continue;
    const trimmed = line.trim();
    if (trimmed === '') continue;
    const negated = trimmed.startsWith('!');
    let pattern = negated ? trimmed.slice(1).trim() : trimmed;
    if (pattern !== '') {
      pattern = cleanPath(pattern);
      if (pattern.length > 1 && pattern.startsWith('/')) pattern = pattern.slice(1);
    }
    patterns.push(negated ? `!${pattern}` : pattern);
  }
  return patterns;
}

/** Go's `filepath.Clean`. */
export function cleanPath(path: string): string {
  const rooted = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!rooted) parts.push('..');
  }
  const joined = parts.join('/');
  return rooted ? `/${joined}` : joined || '.';
}

/** What a directory's verdict means for what lies in it. */
export interface MatchState {
  /** The verdict for the path itself. */
  readonly matched: boolean;
  /** Per pattern, whether it matched the path or one of its parents; hand it on to the children. */
  readonly byPattern: readonly boolean[];
}

export interface PatternMatcher {
  /** Verdict for a path, given its parent directory's; the parent of a top-level path is undefined. */
  match(path: string, parent: MatchState | undefined): MatchState;
  /** Verdict for a path whose parents were not asked before. */
  matches(path: string): boolean;
  /** Some pattern takes paths back in (`!`), so a matched directory must be looked into all the same. */
  readonly hasExclusions: boolean;
  /** Whether something below this directory could be named by a pattern that takes it back in. */
  mayReincludeBelow(directory: string): boolean;
  /** Whether something below this directory, or it, could match a pattern; for include lists. */
  mayMatchBelow(directory: string): boolean;
}

interface Pattern {
  readonly negated: boolean;
  readonly test: (path: string) => boolean;
  /** Leading components without wildcards, which a directory's path must agree with. */
  readonly fixed: readonly string[];
  /** Number of components, or undefined when `**` makes it any. */
  readonly depth: number | undefined;
}

/** Docker's matching: the last pattern that matches a path or one of its parents decides; `!` turns the verdict. */
export function createMatcher(patterns: readonly string[]): PatternMatcher {
  const compiled = patterns.flatMap((text) => compile(text) ?? []);
  const match = (path: string, parent: MatchState | undefined): MatchState => {
    let matched = false;
    const byPattern = compiled.map((pattern, i) => {
      const hit = parent?.byPattern[i] === true || pattern.test(path);
      if (hit) matched = !pattern.negated;
      return hit;
    });
    return { matched, byPattern };
  };
  const mayBeBelow = (pattern: Pattern, directory: string): boolean => {
    const parts = directory.split('/');
    if (pattern.depth !== undefined && pattern.depth <= parts.length) return false;
    return pattern.fixed.every((part, i) => i >= parts.length || parts[i] === part);
  };
  return {
    match,
    matches: (path) => {
      let state: MatchState | undefined;
      for (let end = path.indexOf('/'); ; end = path.indexOf('/', end + 1)) {
        state = match(end < 0 ? path : path.slice(0, end), state);
        if (end < 0) return state.matched;
      }
    },
    hasExclusions: compiled.some((pattern) => pattern.negated),
    mayReincludeBelow: (directory) => compiled.some((pattern) => pattern.negated && mayBeBelow(pattern, directory)),
    mayMatchBelow: (directory) => compiled.some((pattern) => !pattern.negated && mayBeBelow(pattern, directory)),
  };
}

function compile(text: string): Pattern | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const negated = trimmed.startsWith('!');
  const bare = negated ? trimmed.slice(1).trim() : trimmed;
  if (bare === '')
    throw invalidArgument('cannot use the pattern "!": it excludes nothing', {
      hint: 'write what is to be taken back in after the !',
    });
  const pattern = cleanPath(bare).replace(/^\/+/, '');
  if (pattern === '' || pattern === '.') return undefined;
  const parts = pattern.split('/');
  const firstWild = parts.findIndex((part) => hasWildcard(part));
  return {
    negated,
    test: hasWildcard(pattern) ? compileGoMatch(pattern, { doubleStar: true }) : (path) => path === pattern,
    fixed: firstWild < 0 ? parts : parts.slice(0, firstWild),
    depth: pattern.includes('**') ? undefined : parts.length,
  };
}
