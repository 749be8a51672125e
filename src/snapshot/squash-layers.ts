import { chmodSync, lchownSync, linkSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { getXattr, listXattrs, makeNode, setModificationTime, setXattr } from '../kernel/file-attributes.ts';
import { type BytePath, fromText, joinBytes, lstatOf, toBytes } from './tree-path.ts';

const opaqueXattr = 'trusted.overlay.opaque';
const opaque = Buffer.from('y');

/**
 * Makes one layer of several, lowest first, in a layer's empty directory: what it shows over any layers below is what they show. Files are
 * linked, not copied, which their layers never notice: none of them changes again. Without layers below, nothing is left to hide.
 * Synchronous: for worker threads.
 */
export function squashLayers(layers: readonly string[], target: string, hasBase: boolean): void {
  for (const layer of layers) addDirectory(fromText(layer), fromText(target), hasBase);
}

function addDirectory(from: BytePath, to: BytePath, hasBase: boolean): void {
  for (const name of readdirSync(toBytes(from), { encoding: 'latin1' as 'utf8' })) {
    const [source, place] = [joinBytes(from, name as BytePath), joinBytes(to, name as BytePath)];
    const stat = lstatSync(toBytes(source), { bigint: true });
    if (stat.isDirectory()) mergeDirectory(source, place, hasBase);
    else {
      rmSync(toBytes(place), { recursive: true, force: true });
      // A whiteout stays one: the layers below may have the name too. It cannot be linked on every kernel.
      if (!stat.isCharacterDevice() || stat.rdev !== 0n) linkSync(toBytes(source), toBytes(place));
      else if (hasBase) makeNode(toBytes(place), 0o020000);
    }
  }
  // Last, since what was done inside has changed it.
  copyAttributes(from, to);
}

function mergeDirectory(from: BytePath, to: BytePath, hasBase: boolean): void {
  const existing = lstatOf(to);
  const isOpaque = getXattr(toBytes(from), opaqueXattr)?.toString() === 'y';
  if (existing && (isOpaque || !existing.isDirectory())) rmSync(toBytes(to), { recursive: true });
  const isNew = !existing || isOpaque || !existing.isDirectory();
  if (isNew) mkdirSync(toBytes(to));
  // In the place of a file or a whiteout it is a new directory, which shows nothing of what lies below.
  if (hasBase && (isOpaque || (existing && !existing.isDirectory()))) setXattr(toBytes(to), opaqueXattr, opaque);
  addDirectory(from, to, hasBase);
}

function copyAttributes(from: BytePath, to: BytePath): void {
  const stat = lstatSync(toBytes(from), { bigint: true });
  lchownSync(toBytes(to), Number(stat.uid), Number(stat.gid));
  chmodSync(toBytes(to), Number(stat.mode) & 0o7777);
  for (const name of listXattrs(toBytes(from))) {
    const value = name.startsWith('trusted.overlay.') ? undefined : getXattr(toBytes(from), name);
    if (value) setXattr(toBytes(to), name, value);
  }
  setModificationTime(toBytes(to), stat.mtimeNs);
}
