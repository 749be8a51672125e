import { chmodSync, lstatSync } from 'node:fs';
import type { Owner } from '../snapshot/copy-tree.ts';
import { makeDirectory } from '../snapshot/tree-operations.ts';
import { lstatOf, resolveTreePath, toBytes, toText } from '../snapshot/tree-path.ts';

/**
 * A tree that arrives where nothing is yet can be written into the layer's own directory, beside overlayfs, which makes every new file
 * several times dearer. Makes the parent directories and brings them into the layer; answers the destination inside it, or undefined when
 * something is there that the copy has to be merged with.
 */
export function prepareDirectCopy(root: string, destination: string, owner: Owner): string | undefined {
  const target = resolveTreePath(root, destination, true);
  if (lstatOf(target)) return undefined;
  const inside = toText(target.slice(Buffer.byteLength(root)));
  const parent = inside.slice(0, inside.lastIndexOf('/')) || '/';
  makeDirectory(root, parent, 0o755, { owner, parents: true });
  const path = toBytes(target.slice(0, target.lastIndexOf('/')));
  // Any change, even to what it was, makes overlayfs copy the directory up.
  chmodSync(path, lstatSync(path).mode & 0o7777);
  return inside;
}
