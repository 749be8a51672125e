import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../base/errors.ts';
import { compileGoMatch, hasWildcard } from '../dockerfile/go-match.ts';
import { cleanPath } from '../dockerfile/ignore-patterns.ts';

/** The kernel's own limit of links on one way (path_resolution(7)). */
const linkLimit = 40;

/**
 * The given paths together with every symlink on the way to them and where it leads, as paths inside `root`, which stands for `/`
 * of the links. Empty when the root itself is meant: then everything is.
 */
export function followPaths(root: string, paths: readonly string[]): string[] {
  const found = new Set<string>();
  for (const path of paths) follow(root, components(path), [], found, 0);
  return found.has('') ? [] : [...found].sort();
}

function components(path: string): string[] {
  // A leading slash keeps `..` from leading out.
  return cleanPath(`/${path}`).split('/').filter(Boolean);
}

function follow(
  root: string,
  rest: readonly string[],
  done: readonly string[],
  found: Set<string>,
  links: number,
): void {
  const [first, ...after] = rest;
  if (first === undefined) {
    found.add(done.join('/'));
    return;
  }
  for (const name of hasWildcard(first) ? matchingNames(join(root, ...done), first) : [first]) {
    const here = [...done, name];
    const target = links < linkLimit ? linkTarget(join(root, ...here)) : undefined;
    if (target === undefined) {
      follow(root, after, here, found, links);
      continue;
    }
    found.add(here.join('/'));
    const next = components(target.startsWith('/') ? target : [...done, target].join('/'));
    follow(root, [...next, ...after], [], found, links + 1);
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemErrorCode(error) ?? '')) return undefined;
    throw error;
  }
}

function matchingNames(directory: string, pattern: string): string[] {
  try {
    return readdirSync(directory).filter(compileGoMatch(pattern));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return [];
    throw error;
  }
}
