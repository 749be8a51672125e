import { createReadStream } from 'node:fs';
import { decompress } from '../archive/compression.ts';
import type { BulkPool } from '../snapshot/bulk-pool.ts';
import type { Owner } from '../snapshot/copy-tree.ts';
import { type Selection, selectSources, type TreeFilter } from '../snapshot/select-files.ts';
import { makeDirectory } from '../snapshot/tree-operations.ts';
import { lstatOf, resolveTreePath, toBytes } from '../snapshot/tree-path.ts';

/**
 * ADD of local archives: unpacks the sources that are tar files, by their content. Answers whether all of them were; else nothing
 * was done, and they are copied.
 */
export async function unpackArchives(
  sourceRoot: string,
  selection: Selection,
  filter: TreeFilter | undefined,
  targetRoot: string,
  destination: string,
  owner: Owner | undefined,
  bulk: BulkPool,
): Promise<boolean> {
  const sources = selectSources(sourceRoot, selection, filter);
  for (const source of sources) {
    if (!lstatOf(source.path)?.isFile() || !(await isTar(source.path))) return false;
  }
  const target = resolveTreePath(targetRoot, destination, true);
  if (sources.length > 0 && !lstatOf(target))
    makeDirectory(targetRoot, destination, 0o755, { owner: owner ?? { uid: 0, gid: 0 }, parents: true });
  for (const source of sources) {
    const directory = Buffer.from(resolveTreePath(targetRoot, destination, true), 'latin1').toString();
    await bulk.run('extractArchiveFile', Buffer.from(source.path, 'latin1').toString(), directory, owner);
  }
  return sources.length > 0;
}

const headerSize = 512;

/** Whether the file, once decompressed, begins with a tar header. */
async function isTar(path: Parameters<typeof toBytes>[0]): Promise<boolean> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of decompress(createReadStream(toBytes(path), { end: 1 << 16 }))) {
      parts.push(chunk);
      size += chunk.length;
      if (size >= headerSize) break;
    }
  } catch {
    // Cut off by the limit above, or not what its first bytes said: what was read decides.
  }
  const header = Buffer.concat(parts);
  return header.length >= headerSize && /^ustar/.test(header.toString('latin1', 257, 263)) ? true : isOldTar(header);
}

/** Before POSIX there was no magic; the checksum tells. */
function isOldTar(header: Buffer): boolean {
  if (header.length < headerSize || header[0] === 0) return false;
  const stored = Number.parseInt(header.toString('latin1', 148, 156), 8);
  let sum = 0;
  for (let i = 0; i < headerSize; i++) sum += i >= 148 && i < 156 ? 32 : (header[i] ?? 0);
  return stored === sum;
}
