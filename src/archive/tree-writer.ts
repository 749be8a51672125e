import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  type Stats,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { invalidArgument, SlipwayError, systemErrorCode } from '../base/errors.ts';
import { makeNode, nodeTypes, setModificationTime, setXattr } from '../kernel/file-attributes.ts';
import { resolveInRootPath } from '../kernel/open-in-root.ts';
import type { TarEntry } from './tar-header.ts';

export interface TreeLimits {
  /** Bytes of all files together. */
  readonly bytes: number;
  readonly entries: number;
}

export const defaultTreeLimits: TreeLimits = { bytes: 256 * 2 ** 30, entries: 10_000_000 };

export interface TreeWriterOptions {
  /** Where a missing parent directory takes its mode and owner from: the layers below, topmost first. */
  readonly parents?: readonly string[];
  readonly limits?: TreeLimits;
  /** Overrides the owner that the archive names. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Writes the members of an archive below a directory and nowhere else: `..` is refused, and a parent that is a symlink is
 * followed only inside the root. Existing files are replaced, existing directories merged.
 */
export class TreeWriter {
  readonly #root: string;
  readonly #options: TreeWriterOptions;
  readonly #limits: TreeLimits;
  /** Member path of a directory (latin1) → where it lies on the host; only real directories, checked once. */
  readonly #directories = new Map<string, Buffer>();
  /** Set when all is written, since writing into a directory changes its time. */
  readonly #times = new Map<string, { readonly path: Buffer; readonly mtime: bigint }>();
  #bytes = 0;
  #entries = 0;
  #file: { readonly fd: number; readonly path: Buffer; readonly entry: TarEntry } | undefined;

  constructor(root: string, options: TreeWriterOptions = {}) {
    this.#root = root;
    this.#options = options;
    this.#limits = options.limits ?? defaultTreeLimits;
    this.#directories.set('', Buffer.from(root));
  }

  /** Begins a member; a file's bytes follow by `write`, then `end`. */
  begin(entry: TarEntry): void {
    if (++this.#entries > this.#limits.entries) {
      throw new SlipwayError(
        'resource-exhausted',
        `cannot unpack the archive: it has more than ${this.#limits.entries} members`,
      );
    }
    this.#bytes += entry.size;
    if (this.#bytes > this.#limits.bytes) {
      throw new SlipwayError(
        'resource-exhausted',
        `cannot unpack the archive: its files have more than ${this.#limits.bytes} bytes`,
      );
    }
    const parts = partsOf(entry.name);
    const name = parts.pop();
    if (name === undefined) {
      if (entry.type === 'directory') this.#attributes(Buffer.from(this.#root), entry);
      return;
    }
    const parent = this.#directory(parts);
    const path = Buffer.concat([parent, Buffer.from(`/${name}`, 'latin1')]);
    this.#create(path, [...parts, name].join('/'), entry);
  }

  write(bytes: Uint8Array): void {
    if (!this.#file) return;
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file.fd, bytes, at);
  }

  end(): void {
    if (!this.#file) return;
    const { fd, path, entry } = this.#file;
    this.#file = undefined;
    try {
      const { uid, gid } = this.#owner(entry);
      fchownSync(fd, uid, gid);
      fchmodSync(fd, entry.mode);
    } finally {
      closeSync(fd);
    }
    writeXattrs(path, entry);
    setModificationTime(path, entry.mtime);
  }

  /** Call after the last member. */
  finish(): void {
    for (const { path, mtime } of [...this.#times.values()].reverse()) setModificationTime(path, mtime);
  }

  /** Closes what an error left open. */
  abandon(): void {
    if (this.#file) closeSync(this.#file.fd);
    this.#file = undefined;
  }

  /** The directory of a member name's parent, on the host. */
  parentOf(name: string): { readonly parent: Buffer; readonly last: string } {
    const parts = partsOf(name);
    const last = parts.pop() ?? '';
    return { parent: this.#directory(parts), last };
  }

  /** Removes what stands at a path, if anything, and what was known of it. */
  remove(path: Buffer, member: string): void {
    rmSync(path, { recursive: true, force: true });
    for (const known of this.#directories.keys()) {
      if (known === member || known.startsWith(`${member}/`)) this.#directories.delete(known);
    }
    for (const known of this.#times.keys()) {
      if (known === member || known.startsWith(`${member}/`)) this.#times.delete(known);
    }
  }

  #create(path: Buffer, member: string, entry: TarEntry): void {
    const existing = lstatSync(path, { throwIfNoEntry: false });
    if (existing && !(existing.isDirectory() && entry.type === 'directory')) {
      if (existing.isDirectory()) this.remove(path, member);
      else rmSync(path);
    }
    switch (entry.type) {
      case 'directory':
        if (!existing?.isDirectory()) mkdirSync(path);
        this.#directories.set(member, path);
        this.#attributes(path, entry);
        this.#times.set(member, { path, mtime: entry.mtime });
        return;
      case 'file':
        this.#file = {
          fd: openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600),
          path,
          entry,
        };
        return;
      case 'link':
        linkSync(this.#linkTarget(entry), path);
        return;
      case 'symlink':
        symlinkSync(Buffer.from(entry.linkName, 'latin1'), path);
        break;
      case 'character':
      case 'block':
        makeNode(
          path,
          (entry.type === 'block' ? nodeTypes.blockDevice : nodeTypes.characterDevice) | entry.mode,
          entry.major,
          entry.minor,
        );
        break;
      case 'fifo':
        makeNode(path, nodeTypes.fifo | entry.mode);
        break;
    }
    this.#attributes(path, entry);
    setModificationTime(path, entry.mtime);
  }

  /** The file that a hard link names, inside the root; copied up when only a layer below has it. */
  #linkTarget(entry: TarEntry): Buffer {
    const parts = partsOf(entry.linkName);
    const name = parts.pop();
    if (name === undefined)
      throw invalidArgument(`cannot unpack hard link ${quoted(entry.name)}: it links to the root`);
    const path = Buffer.concat([this.#directory(parts), Buffer.from(`/${name}`, 'latin1')]);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory())
      throw invalidArgument(`cannot unpack hard link ${quoted(entry.name)}: ${quoted(entry.linkName)} is a directory`);
    if (stat) return path;
    const member = [...parts, name].join('/');
    const below = this.#below(member);
    if (!below?.stat.isFile())
      throw invalidArgument(`cannot unpack hard link ${quoted(entry.name)}: there is no ${quoted(entry.linkName)}`);
    copyFileSync(below.path, path);
    lchownSync(path, below.stat.uid, below.stat.gid);
    chmodSync(path, below.stat.mode & 0o7777);
    return path;
  }

  #directory(parts: readonly string[]): Buffer {
    const member = parts.join('/');
    const known = this.#directories.get(member);
    if (known) return known;
    const parent = this.#directory(parts.slice(0, -1));
    const path = Buffer.concat([parent, Buffer.from(`/${parts.at(-1)}`, 'latin1')]);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    const found = stat?.isDirectory()
      ? path
      : stat?.isSymbolicLink()
        ? this.#follow(parts)
        : this.#makeParent(path, member, stat);
    this.#directories.set(member, found);
    return found;
  }

  /** A parent that is a symlink: wherever it leads inside the root, which must be a directory. */
  #follow(parts: readonly string[]): Buffer {
    const member = parts.join('/');
    try {
      const path = Buffer.from(resolveInRootPath(this.#root, Buffer.from(member, 'latin1')));
      if (lstatSync(path).isDirectory()) return path;
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
    }
    throw invalidArgument(
      `cannot unpack below ${quoted(member)}: it is a symlink that leads to no directory inside the root`,
    );
  }

  #makeParent(path: Buffer, member: string, existing: Stats | undefined): Buffer {
    if (existing) rmSync(path);
    mkdirSync(path, { mode: 0o755 });
    const below = this.#below(member);
    if (below?.stat.isDirectory()) {
      chownSync(path, below.stat.uid, below.stat.gid);
      chmodSync(path, below.stat.mode & 0o7777);
      this.#times.set(member, { path, mtime: lstatSync(below.path, { bigint: true }).mtimeNs });
    }
    return path;
  }

  #below(member: string): { readonly path: Buffer; readonly stat: Stats } | undefined {
    for (const parent of this.#options.parents ?? []) {
      const path = Buffer.concat([Buffer.from(`${parent}/`), Buffer.from(member, 'latin1')]);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat) return { path, stat };
    }
    return undefined;
  }

  #owner(entry: TarEntry): { readonly uid: number; readonly gid: number } {
    return this.#options.owner ?? entry;
  }

  #attributes(path: Buffer, entry: TarEntry): void {
    const { uid, gid } = this.#owner(entry);
    lchownSync(path, uid, gid);
    if (entry.type !== 'symlink') chmodSync(path, entry.mode);
    writeXattrs(path, entry);
  }
}

/** Only what images legitimately carry: overlayfs's own attributes from outside could make files vanish or appear. */
function writeXattrs(path: Buffer, entry: TarEntry): void {
  for (const [name, value] of entry.xattrs) {
    if (name !== 'security.capability' && !(name.startsWith('user.') && entry.type !== 'symlink')) continue;
    try {
      setXattr(path, name, value);
    } catch (error) {
      // Not every file system keeps user attributes; the file is whole without them.
      if (systemErrorCode(error) !== 'ENOTSUP') throw error;
    }
  }
}

/** Components of a member's name. An absolute name counts from the root; one that climbs out is refused. */
function partsOf(name: string): string[] {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw invalidArgument(`cannot unpack ${quoted(name)}: its path contains ".."`);
  return parts;
}

function quoted(name: string): string {
  return JSON.stringify(Buffer.from(name, 'latin1').toString().slice(0, 200));
}
