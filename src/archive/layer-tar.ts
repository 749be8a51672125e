import {
  type BigIntStats,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { createSha256, type Digest, digestOfHash } from '../base/digest.ts';
import { SlipwayError } from '../base/errors.ts';
import { deviceMajor, deviceMinor, getXattr, listXattrs } from '../kernel/file-attributes.ts';
import { blockSize, encodeHeader, paddingOf, type TarEntry, type TarEntryType } from './tar-header.ts';

export interface LayerTarOptions {
  /** Times later than this are set to it (`rewrite-timestamp`, SOURCE_DATE_EPOCH). Nanoseconds since 1970. */
  readonly latestTime?: bigint | undefined;
  /** All times are this one. Nanoseconds since 1970. */
  readonly time?: bigint | undefined;
  /** Members that are left out, with all that is in them. Names are latin1. */
  readonly omit?: ((member: string, stat: BigIntStats, path: Buffer) => boolean) | undefined;
  /** Directories of which only the member itself is written. */
  readonly closed?: ((path: Buffer, stat: BigIntStats) => boolean) | undefined;
}

const chunkSize = 1 << 20;
const second = 1_000_000_000n;
const opaqueMarker = '.wh..wh..opq';
const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();

/**
 * Writes an overlayfs layer directory as a changeset (image-spec layer.md): members sorted by name, whiteouts as
 * `.wh.` files, hard links kept, and the same bytes for the same files. Hands over pieces of about 1 MiB, which are valid only
 * during the call.
 */
export function writeLayerTar(directory: string, sink: (bytes: Buffer) => void, options: LayerTarOptions = {}): void {
  const writer = new ChunkWriter(sink);
  const links = new Map<bigint, string>();
  walk(Buffer.from(`${directory}/`), '', writer, links, options);
  writer.write(Buffer.alloc(2 * blockSize));
  writer.flush();
}

/**
 * Writes one file, or a directory with what is in it, under a name of one's choice, in the same form; the empty name stands for what is in
 * the directory alone. A path that ends in `/` or `/.` is that of a directory. Throws ENOENT, ENOTDIR.
 */
export function writeTreeTar(
  path: string,
  name: string,
  sink: (bytes: Buffer) => void,
  options: LayerTarOptions = {},
): void {
  const writer = new ChunkWriter(sink);
  const links = new Map<bigint, string>();
  const bytes = Buffer.from(path);
  const member = Buffer.from(name).toString('latin1');
  const stat = lstatSync(bytes, { bigint: true });
  if (!stat.isDirectory()) writeMember(bytes, member, stat, writer, links, options);
  else {
    if (member !== '') writer.write(encodeHeader(entryOf(bytes, `${member}/`, 'directory', stat, options)));
    walk(Buffer.from(`${path}/`), member === '' ? '' : `${member}/`, writer, links, options);
  }
  writer.write(Buffer.alloc(2 * blockSize));
  writer.flush();
}

/** diffID and size in bytes of a layer's tar, without keeping it. */
export function digestLayer(
  directory: string,
  options: LayerTarOptions = {},
): { readonly diffId: Digest; readonly tarSize: number } {
  const hash = createSha256();
  let tarSize = 0;
  writeLayerTar(
    directory,
    (bytes) => {
      hash.update(bytes);
      tarSize += bytes.length;
    },
    options,
  );
  return { diffId: digestOfHash(hash), tarSize };
}

/** Gathers small pieces and file contents into one buffer, so that a tree of small files costs few calls of the sink. */
class ChunkWriter {
  readonly #sink: (bytes: Buffer) => void;
  readonly #buffer = Buffer.allocUnsafe(chunkSize);
  #used = 0;

  constructor(sink: (bytes: Buffer) => void) {
    this.#sink = sink;
  }

  write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const count = Math.min(bytes.length - at, chunkSize - this.#used);
      bytes.copy(this.#buffer, this.#used, at, at + count);
      at += count;
      this.#advance(count);
    }
  }

  zeros(count: number): void {
    this.write(Buffer.alloc(count));
  }

  /** Reads exactly `size` bytes of an open file. Answers how many there were. */
  readFrom(fd: number, size: number): number {
    let done = 0;
    while (done < size) {
      const count = readSync(fd, this.#buffer, this.#used, Math.min(size - done, chunkSize - this.#used), null);
      if (count === 0) break;
      done += count;
      this.#advance(count);
    }
    return done;
  }

  flush(): void {
    if (this.#used > 0) this.#sink(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  #advance(count: number): void {
    this.#used += count;
    if (this.#used === chunkSize) this.flush();
  }
}

function walk(
  directory: Buffer,
  prefix: string,
  writer: ChunkWriter,
  links: Map<bigint, string>,
  options: LayerTarOptions,
): void {
  const names = readdirSync(directory, { encoding: 'latin1' as 'utf8' }).toSorted((a, b) => (a < b ? -1 : 1));
  for (const name of names) {
    const path = Buffer.concat([directory, Buffer.from(name, 'latin1')]);
    const stat = lstatSync(path, { bigint: true });
    const member = prefix + name;
    if (stat.isSocket() || options.omit?.(member, stat, path)) continue;
    if (stat.isCharacterDevice() && stat.rdev === 0n) {
      writer.write(encodeHeader(whiteout(`${prefix}.wh.${name}`)));
      continue;
    }
    if (!stat.isDirectory()) {
      writeMember(path, member, stat, writer, links, options);
      continue;
    }
    writer.write(encodeHeader(entryOf(path, `${member}/`, 'directory', stat, options)));
    if (getXattr(path, 'trusted.overlay.opaque')?.toString() === 'y') {
      writer.write(encodeHeader(whiteout(`${member}/${opaqueMarker}`)));
    }
    if (options.closed?.(path, stat)) continue;
    walk(Buffer.concat([path, Buffer.from('/')]), `${member}/`, writer, links, options);
  }
}

function writeMember(
  path: Buffer,
  member: string,
  stat: BigIntStats,
  writer: ChunkWriter,
  links: Map<bigint, string>,
  options: LayerTarOptions,
): void {
  const first = stat.nlink > 1n ? links.get(stat.ino) : undefined;
  if (first !== undefined) {
    writer.write(encodeHeader({ ...entryOf(path, member, 'link', stat, options), linkName: first, size: 0 }));
    return;
  }
  if (stat.nlink > 1n) links.set(stat.ino, member);
  const type = typeOf(stat);
  const entry = entryOf(path, member, type, stat, options);
  writer.write(encodeHeader(entry));
  if (type !== 'file' || entry.size === 0) return;
  // Nothing that took the file's place meanwhile is followed or waited for.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const read = writer.readFrom(fd, entry.size);
    if (read !== entry.size) {
      throw new SlipwayError(
        'failed-precondition',
        `cannot archive ${JSON.stringify(member)}: it shrank from ${entry.size} to ${read} bytes while it was read`,
      );
    }
  } finally {
    closeSync(fd);
  }
  writer.zeros(paddingOf(entry.size));
}

function typeOf(stat: BigIntStats): TarEntryType {
  if (stat.isFile()) return 'file';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'character';
  if (stat.isBlockDevice()) return 'block';
  return 'fifo';
}

function entryOf(
  path: Buffer,
  name: string,
  type: TarEntryType,
  stat: BigIntStats,
  options: LayerTarOptions,
): TarEntry {
  const device = type === 'character' || type === 'block';
  return {
    name,
    type,
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: type === 'file' ? Number(stat.size) : 0,
    mtime: timeOf(stat, options),
    linkName: type === 'symlink' ? readlinkSync(path, { encoding: 'latin1' as 'utf8' }) : '',
    major: device ? deviceMajor(stat.rdev) : 0,
    minor: device ? deviceMinor(stat.rdev) : 0,
    xattrs: type === 'symlink' || type === 'link' ? noXattrs : keptXattrs(path),
  };
}

/** Whiteouts carry no time of their own: the same deletion gives the same bytes whenever it happened. */
function whiteout(name: string): TarEntry {
  return {
    name,
    type: 'file',
    mode: 0,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: 0n,
    linkName: '',
    major: 0,
    minor: 0,
    xattrs: noXattrs,
  };
}

/** Whole seconds, as Docker and containerd have it: a fraction would cost a pax header of 1 KiB a file. */
function timeOf({ mtimeNs }: BigIntStats, { latestTime = mtimeNs, time: fixed }: LayerTarOptions): bigint {
  const time = fixed ?? (mtimeNs > latestTime ? latestTime : mtimeNs);
  return time - (((time % second) + second) % second);
}

/** What a file carries into the image: its capabilities and its user's attributes, not overlayfs's or this host's labels. */
function keptXattrs(path: Buffer): ReadonlyMap<string, Uint8Array> {
  const names = listXattrs(path).filter((name) => name === 'security.capability' || name.startsWith('user.'));
  if (names.length === 0) return noXattrs;
  const kept = new Map<string, Uint8Array>();
  for (const name of names.toSorted()) {
    const value = getXattr(path, name);
    if (value) kept.set(name, value);
  }
  return kept;
}
