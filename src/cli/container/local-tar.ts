import { type BigIntStats, closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { blockSize, encodeHeader, paddingOf, type TarEntry, type TarEntryType } from '../../archive/tar-header.ts';
import { SlipwayError } from '../../base/errors.ts';

const chunkSize = 1 << 18;

/** A file, or a directory with what is in it, as a tar under a name of one's choice; made as fast as it is taken. */
export function* localTar(path: string, name: string): Generator<Buffer, void> {
  yield* member(Buffer.from(path), Buffer.from(name).toString('latin1'), new Map());
  yield Buffer.alloc(2 * blockSize);
}

function* member(path: Buffer, name: string, links: Map<string, string>): Generator<Buffer, void> {
  const stat = lstatSync(path, { bigint: true });
  if (stat.isSocket()) return;
  const inode = `${stat.dev}:${stat.ino}`;
  const first = stat.nlink > 1n && !stat.isDirectory() ? links.get(inode) : undefined;
  if (first !== undefined) {
    yield encodeHeader({ ...entryOf(path, name, 'link', stat), linkName: first, size: 0 });
    return;
  }
  links.set(inode, name);
  const type = typeOf(stat);
  const entry = entryOf(path, type === 'directory' ? `${name}/` : name, type, stat);
  yield encodeHeader(entry);
  if (type === 'file') yield* content(path, name, entry.size);
  if (type !== 'directory') return;
  for (const each of readdirSync(path, { encoding: 'latin1' as 'utf8' }).toSorted())
    yield* member(Buffer.concat([path, Buffer.from(`/${each}`, 'latin1')]), `${name}/${each}`, links);
}

function* content(path: Buffer, name: string, size: number): Generator<Buffer, void> {
  const fd = openSync(path, 'r');
  try {
    for (let left = size; left > 0; ) {
      const chunk = Buffer.allocUnsafe(Math.min(left, chunkSize));
      const count = readSync(fd, chunk);
      if (count === 0)
        throw new SlipwayError(
          'failed-precondition',
          `cannot copy ${JSON.stringify(name)}: it shrank while it was read`,
        );
      yield chunk.subarray(0, count);
      left -= count;
    }
  } finally {
    closeSync(fd);
  }
  yield Buffer.alloc(paddingOf(size));
}

function typeOf(stat: BigIntStats): TarEntryType {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'character';
  return stat.isBlockDevice() ? 'block' : 'fifo';
}

/** Numbers of devices are Linux's (gnu_dev_major(3)). */
function entryOf(path: Buffer, name: string, type: TarEntryType, stat: BigIntStats): TarEntry {
  const { rdev } = stat;
  return {
    name,
    type,
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: type === 'file' ? Number(stat.size) : 0,
    mtime: stat.mtimeNs,
    linkName: type === 'symlink' ? readlinkSync(path, { encoding: 'latin1' as 'utf8' }) : '',
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)),
    xattrs: new Map(),
  };
}
