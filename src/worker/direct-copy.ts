import { chmodSync, lstatSync } from 'node:fs';
import type { Owner } from '../snapshot/copy-tree.ts';
import { namesIn } from '../snapshot/select-files.ts';
import { makeDirectory } from '../snapshot/tree-operations.ts';
import { type BytePath, lstatOf, resolveTreePath, toBytes, toText } from '../snapshot/tree-path.ts';

/**
 * A tree that arrives where nothing is yet, or only an empty directory, can be written into the layer's own directory, beside overlayfs, which makes every new file
 * several times dearer. Makes the parent directories and brings them into the layer; answers the destination inside it, or undefined when
 * something is there that the copy has to be merged with.
 */
export function prepareDirectCopy(root: string, destination: string, owner: Owner, mode: number): string | undefined {
  const target = resolveTreePath(root, destination, true);
  const existing = lstatOf(target);
  const inside = toText(target.slice(Buffer.byteLength(root)));
  if (existing) {
    if (!existing.isDirectory() || inside === '' || namesIn(target).length > 0) return undefined;
    copyUp(target);
    return inside;
  }
  const parent = inside.slice(0, inside.lastIndexOf('/')) || '/';
  makeDirectory(root, parent, mode, { owner, parents: true });
  copyUp(target.slice(0, target.lastIndexOf('/')) as BytePath);
  return inside;
}

/** Any change, even to what it was, makes overlayfs copy the directory into the layer. */
function copyUp(directory: BytePath): void {
  const path = toBytes(directory);
  chmodSync(path, lstatSync(path).mode & 0o7777);
}
