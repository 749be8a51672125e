import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { invalidArgument, systemErrorCode } from '../../base/errors.ts';
import { deviceMajor, deviceMinor, getXattr, listXattrs } from '../../kernel/file-attributes.ts';
import type { StatSchema } from '../gen/fsutil_pb.js';
import type { InitOf } from '../message/schema.ts';
import { fileModeOfStat, goModeOf } from './go-file-mode.ts';

export type TreeEntry = InitOf<typeof StatSchema> & { readonly path: string };

/** What a filter says of one path; `state` is handed to the verdicts of what lies in the directory. */
export interface Verdict {
  readonly selected: boolean;
  /** For directories: something below may be selected. */
  readonly descend: boolean;
  readonly state: unknown;
}

/** `parent` is what `state` was for the directory; undefined at the top. */
export type PathFilter = (path: string, parent: unknown) => Verdict;

export interface WalkOptions {
  readonly filter?: PathFilter | undefined;
  /** Whose the files shall be said to be; as they are unless given. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Likewise their modification time, in nanoseconds since 1970. */
  readonly time?: bigint | undefined;
}

interface Walk {
  readonly root: string;
  readonly filter: PathFilter | undefined;
  readonly owner: WalkOptions['owner'];
  readonly time: WalkOptions['time'];
  /** First paths of files with several links, by device and inode. */
  readonly links: Map<string, string>;
}

/**
 * The files of a tree in the order that DiffCopy wants: a directory before what lies in it, names by their bytes. A directory
 * that was not selected itself comes when something below it was. Sockets are left out.
 */
export function* walkTree(root: string, options: WalkOptions = {}): Generator<TreeEntry, void> {
  const walk: Walk = {
    root,
    filter: options.filter,
    owner: options.owner,
    time: options.time,
    links: new Map(),
  };
  yield* walkDirectory(walk, '', undefined, []);
}

function* walkDirectory(
  walk: Walk,
  directory: string,
  parent: unknown,
  unsent: readonly TreeEntry[],
): Generator<TreeEntry, boolean> {
  let pending = unsent;
  for (const name of namesIn(join(walk.root, directory))) {
    const path = directory === '' ? name : `${directory}/${name}`;
    if (name.includes('\ufffd')) throw invalidArgument(`cannot send ${JSON.stringify(path)}: its name is not UTF-8`);
    const read = readEntry(walk, path);
    if (!read) continue;
    const { entry, isDirectory } = read;
    const verdict = walk.filter?.(path, parent) ?? { selected: true, descend: true, state: undefined };
    if (verdict.selected) {
      yield* pending;
      pending = [];
      yield noteLink(walk, read);
    }
    if (!isDirectory || !verdict.descend) continue;
    const sent = yield* walkDirectory(walk, path, verdict.state, verdict.selected ? [] : [...pending, entry]);
    if (sent) pending = [];
  }
  return pending.length === 0 && unsent.length > 0;
}

function namesIn(directory: string): string[] {
  const names = readdirSync(directory);
  // UTF-16 and UTF-8 order differ only where surrogates are.
  if (!names.some((name) => /[\ud800-\uffff]/.test(name))) return names.sort((a, b) => (a < b ? -1 : 1));
  return names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

interface ReadEntry {
  readonly entry: TreeEntry;
  readonly isDirectory: boolean;
  /** Device and inode of a regular file that has other names too. */
  readonly linked: string | undefined;
}

function readEntry(walk: Walk, path: string): ReadEntry | undefined {
  const full = join(walk.root, path);
  const stat = lstatOf(full);
  if (!stat || stat.isSocket()) return undefined;
  const mode = fileModeOfStat(Number(stat.mode));
  const isFile = mode.type === 'file';
  const isDevice = mode.type === 'block-device' || mode.type === 'character-device';
  const entry: TreeEntry = {
    path,
    mode: goModeOf(mode),
    uid: walk.owner?.uid ?? Number(stat.uid),
    gid: walk.owner?.gid ?? Number(stat.gid),
    size: isFile ? stat.size : 0n,
    modTime: walk.time ?? stat.mtimeNs,
    linkname: mode.type === 'symlink' ? readlinkSync(full) : '',
    devmajor: isDevice ? BigInt(deviceMajor(stat.rdev)) : 0n,
    devminor: isDevice ? BigInt(deviceMinor(stat.rdev)) : 0n,
    xattrs: isFile || mode.type === 'directory' ? xattrsOf(full) : {},
  };
  const linked = isFile && stat.nlink > 1n ? `${stat.dev}:${stat.ino}` : undefined;
  return { entry, isDirectory: mode.type === 'directory', linked };
}

/** Undefined for what vanished since its directory was read. */
function lstatOf(path: string) {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function xattrsOf(path: string): Record<string, Uint8Array> {
  const xattrs: Record<string, Uint8Array> = {};
  for (const name of listXattrs(path)) {
    if (name !== 'security.capability' && !name.startsWith('user.')) continue;
    const value = getXattr(path, name);
    if (value) xattrs[name] = Buffer.from(value);
  }
  return xattrs;
}

/** The second name of a file is a link to the first that was sent. */
function noteLink(walk: Walk, { entry, linked }: ReadEntry): TreeEntry {
  if (linked === undefined) return entry;
  const first = walk.links.get(linked);
  if (first !== undefined) return { ...entry, linkname: first, size: 0n };
  walk.links.set(linked, entry.path);
  return entry;
}
