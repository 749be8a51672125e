import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { createSha256, type Digest, digestOfHash } from '../base/digest.ts';
import { type BytePath, fromText, joinBytes, toBytes, toText } from './tree-path.ts';

export interface DigestedFile {
  /** From the root, without a slash before it. */
  readonly path: string;
  readonly digest: Digest;
}

const bufferSize = 1 << 20;

/** Every regular file of a tree with the digest of its bytes, sorted by path. */
export function digestFiles(root: string): DigestedFile[] {
  const buffer = Buffer.allocUnsafe(bufferSize);
  return listFiles(root).map((path) => ({
    path: toText(path),
    digest: digestFile(joinBytes(fromText(root), path), buffer),
  }));
}

/** The paths of all that is no directory, as bytes in latin1 text; sorted. */
export function listNames(root: string): string[] {
  return walk(root, (entry) => !entry.isDirectory());
}

function listFiles(root: string): string[] {
  return walk(root, (entry) => entry.isFile());
}

function walk(root: string, wanted: (entry: { isFile(): boolean; isDirectory(): boolean }) => boolean): string[] {
  const found: string[] = [];
  const pending = [''];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    const place = directory === '' ? fromText(root) : joinBytes(fromText(root), directory);
    for (const entry of readdirSync(toBytes(place), { withFileTypes: true, encoding: 'latin1' as BufferEncoding })) {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
      if (entry.isDirectory()) pending.push(path);
      if (wanted(entry)) found.push(path);
    }
  }
  return found.toSorted();
}

function digestFile(path: BytePath, buffer: Buffer): Digest {
  const hash = createSha256();
  const file = openSync(toBytes(path), 'r');
  try {
    for (let count = readSync(file, buffer); count > 0; count = readSync(file, buffer))
      hash.update(buffer.subarray(0, count));
  } finally {
    closeSync(file);
  }
  return digestOfHash(hash);
}
