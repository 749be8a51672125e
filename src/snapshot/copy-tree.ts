import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  readSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { invalidArgument } from '../base/errors.ts';
import {
  deviceMajor,
  deviceMinor,
  getXattr,
  listXattrs,
  makeNode,
  setModificationTime,
  setXattr,
} from '../kernel/file-attributes.ts';
import { copyFileContents } from '../kernel/file-holes.ts';
import { applyMode } from './file-mode.ts';
import { FileReuse, type FileReuseOptions } from './file-reuse.ts';
import {
  FileFilter,
  type FilterState,
  namesIn,
  type Selection,
  type Source,
  selectSources,
  type TreeFilter,
} from './select-files.ts';
import { type BytePath, fromText, joinBytes, lstatOf, resolveTreePath, toBytes, toText } from './tree-path.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface CopyOptions {
  readonly filter?: TreeFilter | undefined;
  /** Owner of all that arrives; absent: the source's. */
  readonly owner?: Owner | undefined;
  /** Permission bits in octal, or chmod(1)'s symbolic words; absent: the source's. */
  readonly mode?: string | undefined;
  /** Modification time of all that arrives, in nanoseconds since 1970; absent: the source's. */
  readonly time?: bigint | undefined;
  /** A directory arrives as its content, not under its name. */
  readonly directoryContents: boolean;
  /** Missing directories of the destination are made. */
  readonly createDestination: boolean;
  /** A directory may replace a file and the reverse. */
  readonly replaceExisting: boolean;
  /** Only for a destination that lies in a layer's own directory. */
  readonly reuse?: FileReuseOptions | undefined;
}

/** Copies a selection of one tree into another, as BuildKit's file op does (tonistiigi/fsutil, copy). All synchronous: for worker threads. */
export function copySelection(
  sourceRoot: string,
  selection: Selection,
  targetRoot: string,
  destination: string,
  options: CopyOptions,
): void {
  const copier = new Copier(new FileFilter(selection), options);
  for (const source of selectSources(sourceRoot, selection, options.filter))
    copier.copy(source, targetRoot, destination);
  copier.end();
}

/** Directories that a copy makes on its way take its mode, when that is a number (tonistiigi/fsutil, copy). */
export function modeOfParents({ mode }: CopyOptions): number {
  return mode !== undefined && /^[0-7]+$/.test(mode) ? Number.parseInt(mode, 8) : 0o755;
}

class Copier {
  readonly #filter: FileFilter;
  readonly #visible: FileFilter | undefined;
  readonly #options: CopyOptions;
  /** Device and inode of a source with several names → where its first one went. */
  readonly #links = new Map<string, BytePath>();
  readonly #reuse: FileReuse | undefined;
  /** Where the path inside the destination begins. */
  #insideAt = 0;

  constructor(filter: FileFilter, options: CopyOptions) {
    this.#filter = filter;
    this.#options = options;
    this.#visible = options.filter && new FileFilter(options.filter);
    this.#reuse = options.reuse && new FileReuse(options.reuse);
  }

  end(): void {
    this.#reuse?.save();
  }

  copy(source: Source, targetRoot: string, destination: string): void {
    const stat = lstatSync(toBytes(source.path), { bigint: true });
    const intoDirectory = destination.endsWith('/');
    const resolved = resolveTreePath(targetRoot, destination, true);
    const existing = lstatOf(resolved);
    this.#insideAt = resolved.replace(/\/+$/, '').length;
    const contents = stat.isDirectory() && this.#options.directoryContents;
    const target =
      !contents && (intoDirectory || existing?.isDirectory()) ? joinBytes(resolved, source.name) : resolved;
    const parent = contents ? target : (target.slice(0, target.lastIndexOf('/')) as BytePath);
    this.#makeDirectories(parent, fromText(targetRoot));
    this.#entry(source.path, target, stat, {
      fromSource: '',
      fromRoot: source.fromRoot,
      parent: undefined,
      root: this.#visible?.stateOf(source.fromRoot),
    });
  }

  #makeDirectories(path: BytePath, root: BytePath): void {
    if (path.length <= root.length) return;
    const stat = lstatOf(path);
    if (stat?.isDirectory()) return;
    if (stat)
      throw invalidArgument(`cannot copy to ${JSON.stringify(toText(path.slice(root.length)))}: it is not a directory`);
    if (!this.#options.createDestination)
      throw invalidArgument(
        `cannot copy to ${JSON.stringify(toText(path.slice(root.length)))}: there is no such directory`,
      );
    this.#makeDirectories(path.slice(0, path.lastIndexOf('/')) as BytePath, root);
    mkdirSync(toBytes(path));
    chmodSync(toBytes(path), modeOfParents(this.#options));
    lchownSync(toBytes(path), this.#options.owner?.uid ?? 0, this.#options.owner?.gid ?? 0);
    if (this.#options.time !== undefined) setModificationTime(toBytes(path), this.#options.time);
  }

  #entry(from: BytePath, to: BytePath, stat: BigIntStats, at: Position): void {
    const state = at.fromSource === '' ? undefined : this.#filter.verdict(at.fromSource, at.parent);
    const selected = (state?.selected ?? true) && (at.root?.selected ?? true);
    if (stat.isDirectory()) {
      if (selected || ((state?.descend ?? true) && (at.root?.descend ?? true)))
        this.#directory(from, to, stat, at, state, selected);
      return;
    }
    if (!selected || stat.isSocket()) return;
    this.#clear(to);
    const identity = stat.nlink > 1n ? `${stat.dev}:${stat.ino}` : undefined;
    const first = identity && this.#links.get(identity);
    if (first) {
      linkSync(toBytes(first), toBytes(to));
      return;
    }
    if (identity) this.#links.set(identity, to);
    this.#leaf(from, to, stat);
  }

  #directory(
    from: BytePath,
    to: BytePath,
    stat: BigIntStats,
    at: Position,
    state: FilterState | undefined,
    selected: boolean,
  ): void {
    const existing = lstatOf(to);
    let made = existing?.isDirectory() === true;
    const keepAttributes = made && at.fromSource === '';
    const make = () => {
      if (made) return;
      made = true;
      if (existing) this.#replace(to);
      mkdirSync(toBytes(to), { recursive: true });
    };
    if (selected) make();
    for (const name of namesIn(from)) {
      const text = toText(name);
      const fromRoot = at.fromRoot === '' ? text : `${at.fromRoot}/${text}`;
      const child: Position = {
        fromSource: at.fromSource === '' ? text : `${at.fromSource}/${text}`,
        fromRoot,
        parent: state,
        root: this.#visible?.verdict(fromRoot, at.root),
      };
      const path = joinBytes(from, name);
      const childStat = lstatSync(toBytes(path), { bigint: true });
      // A directory that is only walked for what lies deeper is made when the first of it arrives.
      if (!made && this.#arrives(childStat, child)) make();
      this.#entry(path, joinBytes(to, name), childStat, child);
    }
    if (made && !keepAttributes && lstatOf(to)) this.#attributes(from, to, stat);
  }

  #arrives(stat: BigIntStats, at: Position): boolean {
    return (
      !stat.isDirectory() &&
      !stat.isSocket() &&
      this.#filter.verdict(at.fromSource, at.parent).selected &&
      (at.root?.selected ?? true)
    );
  }

  #clear(to: BytePath): void {
    const existing = lstatOf(to);
    if (existing?.isDirectory()) this.#replace(to);
    else if (existing) rmSync(toBytes(to));
  }

  #replace(to: BytePath): void {
    if (!this.#options.replaceExisting) {
      const kind = lstatOf(to)?.isDirectory() ? 'a directory' : 'not a directory';
      throw invalidArgument(
        `cannot copy over ${JSON.stringify(toText(to.slice(to.lastIndexOf('/') + 1)))}: it is ${kind}`,
      );
    }
    rmSync(toBytes(to), { recursive: true });
  }

  #leaf(from: BytePath, to: BytePath, stat: BigIntStats): void {
    const time = this.#options.time ?? stat.mtimeNs;
    const arrival = { ...this.#ownerOf(stat), mode: this.#modeOf(stat), time };
    if (stat.isFile() && this.#reuse?.link(from, to, to.slice(this.#insideAt), stat, arrival)) return;
    if (stat.isFile()) copyFile(from, to, stat, this.#ownerOf(stat), this.#modeOf(stat));
    else if (stat.isSymbolicLink()) symlinkSync(readlinkSync(toBytes(from), { encoding: 'buffer' }), toBytes(to));
    else makeNode(toBytes(to), Number(stat.mode), deviceMajor(stat.rdev), deviceMinor(stat.rdev));
    if (!stat.isFile()) {
      const { uid, gid } = this.#ownerOf(stat);
      lchownSync(toBytes(to), uid, gid);
      if (!stat.isSymbolicLink()) chmodSync(toBytes(to), this.#modeOf(stat));
    }
    if (!stat.isSymbolicLink()) copyXattrs(from, to);
    setModificationTime(toBytes(to), time);
  }

  #attributes(from: BytePath, to: BytePath, stat: BigIntStats): void {
    const { uid, gid } = this.#ownerOf(stat);
    lchownSync(toBytes(to), uid, gid);
    chmodSync(toBytes(to), this.#modeOf(stat));
    copyXattrs(from, to);
    setModificationTime(toBytes(to), this.#options.time ?? stat.mtimeNs);
  }

  #ownerOf(stat: BigIntStats): Owner {
    return this.#options.owner ?? { uid: Number(stat.uid), gid: Number(stat.gid) };
  }

  #modeOf(stat: BigIntStats): number {
    const own = Number(stat.mode) & 0o7777;
    return this.#options.mode === undefined ? own : applyMode(this.#options.mode, own, stat.isDirectory());
  }
}

/** Where the walk is, for both filters. */
interface Position {
  readonly fromSource: string;
  readonly fromRoot: string;
  readonly parent: FilterState | undefined;
  readonly root: FilterState | undefined;
}

const smallFile = 1 << 18;
const buffer = Buffer.allocUnsafe(smallFile + 1);

/** Small files go through one buffer, large ones through copy_file_range, which keeps holes; neither leaves a moment with a wrong owner. */
function copyFile(from: BytePath, to: BytePath, stat: BigIntStats, { uid, gid }: Owner, mode: number): void {
  const source = openSync(toBytes(from), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  let target: number | undefined;
  try {
    target = openSync(
      toBytes(to),
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      mode & 0o777,
    );
    if (stat.size > smallFile) copyFileContents(source, target);
    else copyThroughBuffer(source, target);
    // Always: a setgid directory gives its group to what is made in it. Before the mode, since it clears setuid.
    fchownSync(target, uid, gid);
    fchmodSync(target, mode);
  } finally {
    closeSync(source);
    if (target !== undefined) closeSync(target);
  }
}

function copyThroughBuffer(source: number, target: number): void {
  for (let count = buffer.length; count === buffer.length; ) {
    count = readSync(source, buffer, 0, buffer.length, null);
    for (let at = 0; at < count; ) at += writeSync(target, buffer, at, count - at);
  }
}

function copyXattrs(from: BytePath, to: BytePath): void {
  for (const name of listXattrs(toBytes(from))) {
    if (name !== 'security.capability' && !name.startsWith('user.')) continue;
    const value = getXattr(toBytes(from), name);
    if (value) setXattr(toBytes(to), name, value);
  }
}
