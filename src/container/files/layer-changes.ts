import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { systemErrorCode } from '../../base/errors.ts';
import { getXattr } from '../../kernel/file-attributes.ts';
import type { ChangeKind, FileChange } from './files-job.ts';

const bytesOf = (path: string) => Buffer.from(path, 'latin1');

/**
 * What an overlayfs layer changes of the tree that it lies over, sorted by path, as `docker diff` tells it: a directory counts as modified
 * when something in it changed. Both trees are only looked at by lstat, and a level of the lower one only where it is a directory.
 * `stubs`, made by the runtime to mount something on, do not count as long as they are empty.
 */
export function layerChanges(upper: string, lower: string, stubs: readonly string[]): FileChange[] {
  const changes = new Map<string, ChangeKind>();
  visit({ upper, lower, stubs: new Set(stubs), changes }, '', true);
  return [...changes]
    .map(([path, kind]) => ({ path: bytesOf(path).toString(), kind }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

interface Comparison {
  readonly upper: string;
  readonly lower: string;
  readonly stubs: ReadonlySet<string>;
  readonly changes: Map<string, ChangeKind>;
}

/** Answers whether something below the directory changed. */
function visit(comparison: Comparison, directory: string, lowerShows: boolean): boolean {
  const { upper, lower, changes } = comparison;
  const before = changes.size;
  const names = namesIn(upper + directory);
  for (const name of names) compare(comparison, `${directory}/${name}`, lowerShows);
  const hidesLower = lowerShows && getXattr(bytesOf(upper + directory), 'trusted.overlay.opaque')?.toString() === 'y';
  if (hidesLower) {
    for (const name of namesIn(lower + directory))
      if (!names.includes(name)) changes.set(`${directory}/${name}`, 'deleted');
  }
  return changes.size > before;
}

function compare(comparison: Comparison, path: string, lowerShows: boolean): void {
  const { upper, lower, stubs, changes } = comparison;
  const now = lstatOf(upper + path);
  const before = lowerShows ? lstatOf(lower + path) : undefined;
  if (!now) return;
  if (now.isCharacterDevice() && now.rdev === 0n) {
    if (before) changes.set(path, 'deleted');
    return;
  }
  if (!before && stubs.has(path) && isEmpty(upper + path, now)) return;
  const inside = now.isDirectory() && visit(comparison, path, before?.isDirectory() === true);
  if (!before) changes.set(path, 'added');
  else if (inside || differs(now, before)) changes.set(path, 'modified');
}

function isEmpty(path: string, stat: BigIntStats): boolean {
  return stat.isDirectory() ? namesIn(path).length === 0 : stat.isFile() && stat.size === 0n;
}

/** Copying up keeps all of this. Of a directory, size and time are not its own. */
function differs(now: BigIntStats, before: BigIntStats): boolean {
  if (now.mode !== before.mode || now.uid !== before.uid || now.gid !== before.gid || now.rdev !== before.rdev)
    return true;
  return !now.isDirectory() && (now.size !== before.size || now.mtimeNs !== before.mtimeNs);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(bytesOf(`${directory}/`), { encoding: 'latin1' as 'utf8' });
  } catch (error) {
    // The container goes on meanwhile.
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return [];
    throw error;
  }
}

function lstatOf(path: string): BigIntStats | undefined {
  return lstatSync(bytesOf(path), { bigint: true, throwIfNoEntry: false });
}
