import { readdirSync } from 'node:fs';
import { invalidArgument, notFound, type SlipwayError } from '../base/errors.ts';
import { compileGoMatch, hasWildcard } from '../dockerfile/go-match.ts';
import { createMatcher, type MatchState, type PatternMatcher } from '../dockerfile/ignore-patterns.ts';
import {
  type BytePath,
  existingTreePath,
  fromText,
  joinBytes,
  lstatOf,
  resolveTreePath,
  rootedPath,
  toBytes,
  toText,
} from './tree-path.ts';

/** Which files of a tree are meant. Plain data: it travels to worker threads. */
export interface Selection {
  /** Path inside the tree; with `wildcard`, a pattern in Go's syntax. */
  readonly path: string;
  readonly wildcard: boolean;
  /** A pattern that matches nothing is no error. */
  readonly allowEmpty?: boolean;
  /** A symlink at the end of the path stands for what it names. */
  readonly followLinks: boolean;
  /** Patterns as in `.dockerignore`, relative to the path. Nothing to include means all. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Paths inside the tree that must be there, whatever the patterns match. */
  readonly required?: readonly string[];
}

/** What of a directory belongs to the tree at all: a build context's `.dockerignore`. Relative to the root. */
export interface TreeFilter {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** One of the paths that a selection came to. */
export interface Source {
  readonly path: BytePath;
  /** Its last component as written, before links were followed. */
  readonly name: BytePath;
  /** Path from the root, for filters. */
  readonly fromRoot: string;
}

/** Decides file by file while a tree is walked. */
export class FileFilter {
  readonly #include: PatternMatcher | undefined;
  readonly #exclude: PatternMatcher | undefined;

  constructor(filter: {
    readonly include?: readonly string[] | undefined;
    readonly exclude?: readonly string[] | undefined;
  }) {
    this.#include = filter.include && filter.include.length > 0 ? createMatcher(filter.include) : undefined;
    this.#exclude = filter.exclude && filter.exclude.length > 0 ? createMatcher(filter.exclude) : undefined;
  }

  /** `selected`: the file itself is meant. `descend`: something below the directory may be. */
  verdict(path: string, parent: FilterState | undefined): FilterState {
    const include = this.#include?.match(path, parent?.include);
    const exclude = this.#exclude?.match(path, parent?.exclude);
    const included = include?.matched ?? true;
    const excluded = exclude?.matched ?? false;
    const mayInclude = included || this.#include?.mayMatchBelow(path) === true;
    const mayKeep = !excluded || this.#exclude?.mayReincludeBelow(path) === true;
    return { selected: included && !excluded, descend: mayInclude && mayKeep, include, exclude };
  }

  /** The verdict for a path whose parents were not walked; undefined for the root itself. */
  stateOf(path: string): FilterState | undefined {
    let state: FilterState | undefined;
    for (let end = path === '' ? -2 : path.indexOf('/'); end !== -2; end = path.indexOf('/', end + 1)) {
      state = this.verdict(end < 0 ? path : path.slice(0, end), state);
      if (end < 0) break;
      if (!state.descend) return { ...state, selected: false };
    }
    return state;
  }
}

export interface FilterState {
  readonly selected: boolean;
  readonly descend: boolean;
  readonly include: MatchState | undefined;
  readonly exclude: MatchState | undefined;
}

/** Finds what a selection names, in order. Throws not-found when there is nothing, unless that is allowed. */
export function selectSources(root: string, selection: Selection, filter?: TreeFilter): Source[] {
  const path = rootedPath(selection.path);
  const visible = filter ? new FileFilter(filter) : undefined;
  const isVisible = (fromRoot: string) => {
    const state = visible?.stateOf(fromRoot);
    return !state || state.selected || state.descend;
  };
  for (const required of selection.required ?? []) {
    if (!isVisible(required.slice(1))) throw ignored(required);
    existingTreePath(root, required, true);
  }
  if (!selection.wildcard || !hasWildcard(path)) {
    const fromRoot = path.slice(1);
    if (!isVisible(fromRoot)) throw ignored(path);
    const source = existingTreePath(root, path, selection.followLinks);
    if (lstatOf(source)?.isSocket())
      throw invalidArgument(`cannot copy ${JSON.stringify(path)}: it is a socket`, { hint: 'layers hold no sockets' });
    return [{ path: source, name: fromText(fromRoot.slice(fromRoot.lastIndexOf('/') + 1)), fromRoot }];
  }
  const found = expandWildcard(root, path.slice(1).split('/'), '').filter(isVisible);
  if (found.length === 0 && selection.allowEmpty !== true)
    throw notFound(`${JSON.stringify(path)}: not found`, { hint: 'no file matches' });
  return found.map((fromRoot) => ({
    path: resolveTreePath(root, fromRoot, selection.followLinks),
    name: fromText(fromRoot.slice(fromRoot.lastIndexOf('/') + 1)),
    fromRoot,
  }));
}

function ignored(path: string): SlipwayError {
  return notFound(`${JSON.stringify(path)}: not found`, { hint: '.dockerignore leaves it out' });
}

function expandWildcard(root: string, parts: readonly string[], prefix: string): string[] {
  const [first = '', ...rest] = parts;
  const directory = resolveTreePath(root, prefix, true);
  const below = (name: string) => (prefix === '' ? name : `${prefix}/${name}`);
  const names = hasWildcard(first) ? matchingNames(directory, first) : [first];
  return names.flatMap((name) => {
    if (rest.length > 0)
      return lstatOf(resolveTreePath(root, below(name), true))?.isDirectory()
        ? expandWildcard(root, rest, below(name))
        : [];
    return lstatOf(joinBytes(directory, fromText(name))) ? [below(name)] : [];
  });
}

function matchingNames(directory: BytePath, pattern: string): string[] {
  const matches = compileGoMatch(pattern);
  if (!lstatOf(directory)?.isDirectory()) return [];
  return namesIn(directory).map(toText).filter(matches);
}

/** Names in a directory, sorted by their bytes. */
export function namesIn(directory: BytePath): BytePath[] {
  const names = readdirSync(toBytes(directory), { encoding: 'latin1' as 'utf8' });
  return names.sort((a, b) => (a < b ? -1 : 1)) as BytePath[];
}
