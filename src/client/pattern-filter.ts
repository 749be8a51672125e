import type { PathFilter } from '../api/filesync/walk-tree.ts';
import { createMatcher, type MatchState } from '../dockerfile/ignore-patterns.ts';

interface State {
  readonly include: MatchState | undefined;
  readonly exclude: MatchState | undefined;
}

/** What include and exclude patterns (as in `.dockerignore`) select; undefined when that is everything. */
export function createPatternFilter(include: readonly string[], exclude: readonly string[]): PathFilter | undefined {
  const includes = include.length > 0 ? createMatcher(include) : undefined;
  const excludes = exclude.length > 0 ? createMatcher(exclude) : undefined;
  if (!includes && !excludes) return undefined;
  return (path, parent) => {
    const above = parent as State | undefined;
    const included = includes?.match(path, above?.include);
    const excluded = excludes?.match(path, above?.exclude);
    const isIncluded = included?.matched ?? true;
    const isExcluded = excluded?.matched ?? false;
    const mayInclude = isIncluded || includes?.mayMatchBelow(path) === true;
    const mayKeep = !isExcluded || excludes?.mayReincludeBelow(path) === true;
    const state: State = { include: included, exclude: excluded };
    return { selected: isIncluded && !isExcluded, descend: mayInclude && mayKeep, state };
  };
}
