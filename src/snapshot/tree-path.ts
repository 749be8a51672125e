import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { invalidArgument, notFound, systemErrorCode } from '../base/errors.ts';
import { cleanPath } from '../dockerfile/ignore-patterns.ts';

/**
 * Paths inside a mounted tree. On the way through the file system they are bytes in latin1 strings, so that names that
 * are not UTF-8 survive; `toBytes` and `fromText` are the doors.
 */
export type BytePath = string & { readonly __brand: 'BytePath' };

export function fromText(text: string): BytePath {
  return Buffer.from(text).toString('latin1') as BytePath;
}

export function toText(path: string): string {
  return Buffer.from(path, 'latin1').toString();
}

export function toBytes(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}

export function joinBytes(directory: string, name: string): BytePath {
  return (directory.endsWith('/') ? directory + name : `${directory}/${name}`) as BytePath;
}

/** `/a/../../b` → `/b`: a user's path counts from the root and cannot climb above it. */
export function rootedPath(path: string): string {
  return cleanPath(`/${path}`);
}

/** Undefined when there is no such file, also because what should be a directory is none. */
export function lstatOf(path: BytePath): Stats | undefined {
  try {
    return lstatSync(toBytes(path), { throwIfNoEntry: false });
  } catch (error) {
    if (systemErrorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/**
 * Where a path inside the root lies on the host: symlinks on the way are followed inside the root, the last one only if
 * wanted. What is missing at the end is taken as written, so that it can be made.
 */
export function resolveTreePath(root: string, path: string, followLast: boolean): BytePath {
  const base = fromText(root);
  let parts = fromText(rootedPath(path))
    .split('/')
    .filter((part) => part !== '');
  let at: BytePath = base;
  for (let links = 0; parts.length > 0; ) {
    const [name = '', ...rest] = parts;
    parts = rest;
    if (name === '..') {
      if (at.length > base.length) at = at.slice(0, at.lastIndexOf('/')) as BytePath;
      continue;
    }
    const next = joinBytes(at, name);
    const last = rest.length === 0;
    if (lstatOf(next)?.isSymbolicLink() && (!last || followLast)) {
      if (++links > 255)
        throw invalidArgument(`cannot resolve ${JSON.stringify(path)}: too many levels of symbolic links`);
      const target = readlinkSync(toBytes(next), { encoding: 'latin1' as 'utf8' });
      if (target.startsWith('/')) at = base;
      parts = [...target.split('/').filter((part) => part !== '' && part !== '.'), ...rest];
      continue;
    }
    at = next;
  }
  return at;
}

/** The same for a path that must be there. */
export function existingTreePath(root: string, path: string, followLast: boolean): BytePath {
  const resolved = resolveTreePath(root, path, followLast);
  if (!lstatOf(resolved)) throw notFound(`${JSON.stringify(rootedPath(path))}: not found`);
  return resolved;
}
