import { chmodSync, lchownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { invalidArgument, isErrorCode } from '../base/errors.ts';
import { setModificationTime } from '../kernel/file-attributes.ts';
import type { Owner } from './copy-tree.ts';
import { selectSources } from './select-files.ts';
import { type BytePath, fromText, lstatOf, resolveTreePath, rootedPath, toBytes } from './tree-path.ts';

export interface MakeOptions {
  readonly owner: Owner;
  /** Nanoseconds since 1970; absent: now. */
  readonly time?: bigint | undefined;
}

/** Makes a directory inside a tree; one that is there already stays as it is when parents are wanted too. */
export function makeDirectory(
  root: string,
  path: string,
  mode: number,
  options: MakeOptions & { readonly parents: boolean },
): void {
  const resolved = resolveTreePath(root, path, true);
  const existing = lstatOf(resolved);
  if (existing?.isDirectory() && options.parents) return;
  if (existing) throw invalidArgument(`cannot make directory ${JSON.stringify(rootedPath(path))}: it exists already`);
  const base = fromText(root).length;
  const missing: BytePath[] = [];
  for (let at = resolved; at.length > base && !lstatOf(at); at = at.slice(0, at.lastIndexOf('/')) as BytePath)
    missing.push(at);
  if (missing.length > 1 && !options.parents) {
    throw invalidArgument(`cannot make directory ${JSON.stringify(rootedPath(path))}: its parent does not exist`);
  }
  for (const directory of missing.reverse()) {
    mkdirSync(toBytes(directory));
    finish(directory, mode, options);
  }
}

/** Writes a file inside a tree, replacing what is there unless that is a directory. */
export function makeFile(root: string, path: string, mode: number, data: Uint8Array, options: MakeOptions): void {
  const resolved = resolveTreePath(root, path, true);
  const existing = lstatOf(resolved);
  if (existing?.isDirectory())
    throw invalidArgument(`cannot write ${JSON.stringify(rootedPath(path))}: it is a directory`);
  if (existing) rmSync(toBytes(resolved));
  writeFileSync(toBytes(resolved), data, { flag: 'wx', mode: 0o600 });
  finish(resolved, mode, options);
}

export function makeSymlink(root: string, target: string, path: string, options: MakeOptions): void {
  const resolved = resolveTreePath(root, path, false);
  symlinkSync(target, toBytes(resolved));
  lchownSync(toBytes(resolved), options.owner.uid, options.owner.gid);
  if (options.time !== undefined) setModificationTime(toBytes(resolved), options.time);
}

/** Removes files inside a tree; symlinks themselves, never what they name. */
export function removeFiles(
  root: string,
  path: string,
  options: { readonly allowMissing: boolean; readonly wildcard: boolean },
): void {
  try {
    const selection = { path, wildcard: options.wildcard, allowEmpty: options.allowMissing, followLinks: false };
    for (const source of selectSources(root, selection)) rmSync(toBytes(source.path), { recursive: true });
  } catch (error) {
    if (!options.allowMissing || !isErrorCode(error, 'not-found')) throw error;
  }
}

function finish(path: BytePath, mode: number, { owner, time }: MakeOptions): void {
  lchownSync(toBytes(path), owner.uid, owner.gid);
  chmodSync(toBytes(path), mode & 0o7777);
  if (time !== undefined) setModificationTime(toBytes(path), time);
}
