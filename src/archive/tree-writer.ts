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
  readdirSync,
  realpathSync,
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
  /** A directory gives way to nothing else, and nothing else to a directory: `docker cp`. */
  readonly keepKinds?: boolean | undefined;
}

/**
 * Writes the members of an archive below a directory and nowhere else: `..` is refused, and a parent that is a symlink is
 * followed only inside the root. Existing files are replaced, existing directories merged.
 */
export class TreeWriter {
  readonly #root: string;
  readonly #options: TreeWriterOptions;
  readonly #limits: TreeLimits;
  /**
   * Member path of a directory (latin1) → where it lies on the host; only real directories, checked once. Several members may lead
   * to one place by way of symlinks, so all is forgotten when a directory or a symlink goes (CVE-2021-37701).
   */
  readonly #directories = new Map<string, Buffer>();
  /** Host path of a directory (latin1) → its time, set when all is written, since writing into a directory changes it. */
  readonly #times = new Map<string, bigint>();
  #bytes = 0;
  #entries = 0;
  #file: { readonly fd: number; readonly path: Buffer; readonly entry: TarEntry } | undefined;

  constructor(root: string, options: TreeWriterOptions = {}) {
    // Resolved, so that each place has one host path.
    this.#root = realpathSync(root);
    this.#options = options;
    this.#limits = options.limits ?? defaultTreeLimits;
    this.#forgetDirectories();
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

  #forgetDirectories(): void {
    this.#directories.clear();
    this.#directories.set('', Buffer.from(this.#root));
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
    for (const [path, mtime] of [...this.#times].reverse()) setModificationTime(Buffer.from(path, 'latin1'), mtime);
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

  /** Hides a name of the layers below; what the archive itself has put there goes (image-spec layer.md, whiteouts). */
  hide(parent: Buffer, name: string): void {
    const path = Buffer.concat([parent, Buffer.from(`/${name}`, 'latin1')]);
    this.#remove(path, lstatSync(path, { throwIfNoEntry: false }));
    makeNode(path, nodeTypes.characterDevice);
  }

  /** Hides all that the layers below have in a directory. */
  hideAll(directory: Buffer): void {
    if (directory.toString() !== this.#root) {
      setXattr(directory, opaqueXattr, opaque);
      return;
    }
    // overlayfs takes no notice of the mark on a layer's root.
    const names = (this.#options.parents ?? []).flatMap((parent) =>
      readdirSync(parent, { encoding: 'latin1' as 'utf8' }),
    );
    for (const name of new Set(names)) {
      const path = Buffer.concat([directory, Buffer.from(`/${name}`, 'latin1')]);
      const existing = lstatSync(path, { throwIfNoEntry: false });
      if (!existing) makeNode(path, nodeTypes.characterDevice);
      else if (existing.isDirectory()) setXattr(path, opaqueXattr, opaque);
    }
  }

  #remove(path: Buffer, existing: Stats | undefined): void {
    if (!existing) return;
    rmSync(path, { recursive: true });
    if (existing.isSymbolicLink() || existing.isDirectory()) this.#forgetDirectories();
    if (!existing.isDirectory()) return;
    const gone = path.toString('latin1');
    for (const known of this.#times.keys()) {
      if (known === gone || known.startsWith(`${gone}/`)) this.#times.delete(known);
    }
  }

  #create(path: Buffer, member: string, entry: TarEntry): void {
    const existing = lstatSync(path, { throwIfNoEntry: false });
    if (this.#options.keepKinds) checkKind(existing, entry);
    if (!(existing?.isDirectory() && entry.type === 'directory')) this.#remove(path, existing);
    switch (entry.type) {
      case 'directory':
        if (!existing?.isDirectory()) this.#makeDirectory(path, existing);
        this.#directories.set(member, path);
        this.#attributes(path, entry);
        this.#times.set(path.toString('latin1'), entry.mtime);
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

  /** A directory in the place of a whiteout is a new one: what the layers below have there stays hidden. */
  #makeDirectory(path: Buffer, before: Stats | undefined): void {
    mkdirSync(path, { mode: 0o755 });
    if (this.#options.parents && before?.isCharacterDevice() && before.rdev === 0) setXattr(path, opaqueXattr, opaque);
  }

  #makeParent(path: Buffer, member: string, existing: Stats | undefined): Buffer {
    this.#remove(path, existing);
    this.#makeDirectory(path, existing);
    const below = this.#below(member);
    if (below?.stat.isDirectory()) {
      chownSync(path, below.stat.uid, below.stat.gid);
      chmodSync(path, below.stat.mode & 0o7777);
      this.#times.set(path.toString('latin1'), lstatSync(below.path, { bigint: true }).mtimeNs);
    }
    return path;
  }

  /** What the layers below show at a path. Never through a symlink of theirs: it would lead out to the host. */
  #below(member: string): { readonly path: Buffer; readonly stat: Stats } | undefined {
    const parts = member.split('/');
    for (const parent of this.#options.parents ?? []) {
      let path = Buffer.from(parent);
      let stat: Stats | undefined;
      for (const [i, part] of parts.entries()) {
        path = Buffer.concat([path, Buffer.from(`/${part}`, 'latin1')]);
        stat = lstatSync(path, { throwIfNoEntry: false });
        if (!stat) break;
        if (i < parts.length - 1 && !stat.isDirectory()) return undefined;
      }
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

function checkKind(existing: Stats | undefined, { name, type }: TarEntry): void {
  if (!existing || existing.isDirectory() === (type === 'directory')) return;
  throw invalidArgument(
    existing.isDirectory()
      ? `cannot overwrite directory ${quoted(name)} with non-directory`
      : `cannot overwrite non-directory ${quoted(name)} with directory`,
  );
}

const opaqueXattr = 'trusted.overlay.opaque';
const opaque = Buffer.from('y');

/** Only what images legitimately carry: overlayfs's own attributes from outside could make files vanish or appear. */
function writeXattrs(path: Buffer, entry: TarEntry): void {
  for (const [name, value] of entry.xattrs) {
    const isUsers = name.startsWith('user.') && !name.startsWith('user.overlay.') && entry.type !== 'symlink';
    if (name !== 'security.capability' && !isUsers) continue;
    try {
      setXattr(path, name, value);
    } catch (error) {
      // Not every file system keeps user attributes; the file is whole without them.
      if (systemErrorCode(error) !== 'ENOTSUP') throw error;
    }
  }
}

/** PATH_MAX of linux/limits.h. */
const longestPath = 4096;

/** Components of a member's name. An absolute name counts from the root; one that climbs out is refused. */
function partsOf(name: string): string[] {
  if (name.length > longestPath)
    throw invalidArgument(
      `cannot unpack ${quoted(name)}…: its path has ${name.length} bytes, more than ${longestPath}`,
    );
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw invalidArgument(`cannot unpack ${quoted(name)}: its path contains ".."`);
  return parts;
}

function quoted(name: string): string {
  return JSON.stringify(Buffer.from(name, 'latin1').toString().slice(0, 200));
}
