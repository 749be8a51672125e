import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { invalidArgument, systemErrorCode } from '../../base/errors.ts';
import { makeNode, nodeTypes, setModificationTime, setXattr } from '../../kernel/file-attributes.ts';
import type { Stat } from '../gen/fsutil_pb.js';
import { type FileMode, fileModeOfGo, fileModeOfStat } from './go-file-mode.ts';

export interface DestinationOptions {
  /**
   * `sent`: owners, xattrs and set-id bits as the list says, for a tree of our own. `receiver`: everything belongs to this
   * process and set-id bits are dropped, for a directory of the user's: root's copy of a foreign set-id file would be one of root's.
   */
  readonly owner: 'sent' | 'receiver';
  /** Removes what the list does not name. */
  readonly deleteOthers: boolean;
}

/** Files changed this close to when they were received may have changed again without a new time. Nanoseconds. */
const racyWindow = 2_000_000_000n;

/**
 * The directory that received files lie in. Paths are to be checked by an `EntryOrder` before; a symlink that lies where the list
 * has a directory is replaced, never followed.
 */
export class TreeDestination {
  readonly #root: string;
  readonly #options: DestinationOptions;
  readonly #named = new Set<string>();
  readonly #directories: Stat[] = [];
  readonly #links: Stat[] = [];
  readonly #files = new Set<string>();
  readonly skipped: string[] = [];

  constructor(directory: string, options: DestinationOptions) {
    mkdirSync(directory, { recursive: true });
    this.#root = realpathSync(directory);
    this.#options = options;
  }

  /** Makes the entry; true when it is a file whose bytes are wanted. */
  place(stat: Stat): boolean {
    this.#named.add(stat.path);
    const mode = fileModeOfGo(stat.mode);
    const path = this.#path(stat);
    const there = lstatOf(path);
    const same = there !== undefined && fileModeOfStat(Number(there.mode)).type === mode.type;
    switch (mode.type) {
      case 'directory':
        if (!same) {
          removeAt(path, there);
          mkdirSync(path, { mode: 0o700 });
        }
        this.#directories.push(stat);
        return false;
      case 'symlink':
        if (same && readlinkSync(path) === stat.linkname) return false;
        removeAt(path, there);
        symlinkSync(stat.linkname, path);
        this.#setAttributes(path, stat, mode);
        return false;
      case 'file':
        return this.#placeFile(stat, mode, path, there, same);
      case 'fifo':
        if (!same) {
          removeAt(path, there);
          makeNode(path, nodeTypes.fifo | 0o600);
        }
        this.#setAttributes(path, stat, mode);
        return false;
      default:
        this.skipped.push(stat.path);
        return false;
    }
  }

  #placeFile(stat: Stat, mode: FileMode, path: string, there: BigIntStats | undefined, same: boolean): boolean {
    if (stat.linkname !== '') {
      if (!this.#files.has(stat.linkname)) {
        throw invalidArgument(
          `cannot receive ${JSON.stringify(stat.path)}: it is a link to ${JSON.stringify(stat.linkname)}, which is no file listed before`,
        );
      }
      this.#links.push(stat);
      return false;
    }
    this.#files.add(stat.path);
    if (same && there && isCurrent(there, stat)) {
      this.#setAttributes(path, stat, mode);
      return false;
    }
    return true;
  }

  /** Opens the file anew; what lay there before is gone. The caller closes the descriptor. */
  open(stat: Stat): number {
    const path = this.#path(stat);
    removeAt(path, lstatOf(path));
    return openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  }

  write(fd: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  }

  close(fd: number, stat: Stat): void {
    closeSync(fd);
    this.#setAttributes(this.#path(stat), stat, fileModeOfGo(stat.mode));
  }

  /** Drops a file that did not come to its end. */
  abandon(fd: number): void {
    ftruncateSync(fd, 0);
    closeSync(fd);
  }

  /** After all bytes: links, removals, and at last the directories' own attributes. */
  finish(): void {
    for (const stat of this.#links) this.#link(stat);
    if (this.#options.deleteOthers) this.#removeUnnamed('');
    for (const stat of this.#directories.reverse())
      this.#setAttributes(this.#path(stat), stat, fileModeOfGo(stat.mode));
  }

  #link(stat: Stat): void {
    const path = this.#path(stat);
    const target = join(this.#root, stat.linkname);
    const there = lstatOf(path);
    const wanted = lstatOf(target);
    if (there && wanted && there.ino === wanted.ino && there.dev === wanted.dev) return;
    removeAt(path, there);
    linkSync(target, path);
  }

  #removeUnnamed(directory: string): void {
    for (const entry of readdirSync(join(this.#root, directory), { withFileTypes: true })) {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
      if (!this.#named.has(path)) rmSync(join(this.#root, path), { recursive: true, force: true });
      else if (entry.isDirectory()) this.#removeUnnamed(path);
    }
  }

  #path(stat: Stat): string {
    return join(this.#root, stat.path);
  }

  #setAttributes(path: string, stat: Stat, mode: FileMode): void {
    const keep = this.#options.owner === 'sent';
    if (keep) chownAt(path, stat.uid, stat.gid);
    if (mode.type !== 'symlink') {
      chmodSync(path, keep ? mode.permissions : mode.permissions & 0o1777);
      if (keep) setXattrs(path, stat);
    }
    setModificationTime(path, stat.modTime);
  }
}

function lstatOf(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function removeAt(path: string, there: BigIntStats | undefined): void {
  if (there) rmSync(path, { recursive: true, force: true });
}

function isCurrent(there: BigIntStats, stat: Stat): boolean {
  return there.size === stat.size && there.mtimeNs === stat.modTime && stat.modTime + racyWindow < there.ctimeNs;
}

function chownAt(path: string, uid: number, gid: number): void {
  try {
    lchownSync(path, uid, gid);
  } catch (error) {
    // Without root every file is this user's, and stays so.
    if (systemErrorCode(error) !== 'EPERM' && systemErrorCode(error) !== 'EINVAL') throw error;
  }
}

function setXattrs(path: string, stat: Stat): void {
  for (const [name, value] of Object.entries(stat.xattrs)) {
    if (name !== 'security.capability' && !name.startsWith('user.')) continue;
    try {
      setXattr(path, name, value);
    } catch (error) {
      if (!['ENOTSUP', 'EPERM', 'EOPNOTSUPP'].includes(systemErrorCode(error) ?? '')) throw error;
    }
  }
}
