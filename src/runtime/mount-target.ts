import {
  closeSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { invalidArgument, SlipwayError, systemErrorCode } from '../base/errors.ts';
import { setModificationTime } from '../kernel/file-attributes.ts';
import { openFlags, openInRoot } from '../kernel/open-in-root.ts';

/** A file or directory that was made only to be mounted on, and goes again afterwards. */
export interface Stub {
  /** Directory inside the root, free of symlinks when the stub was made. */
  readonly parent: string;
  readonly name: string;
  /** The parent's modification times before and after, in nanoseconds. */
  readonly before: bigint;
  readonly after: bigint;
}

const symlinkLimit = 40;
const pathOnly = openFlags.path;

const codeOf = (error: unknown) =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/**
 * Opens the place in `root` where something is mounted, making it where it is missing; symlinks lead nowhere out of the root
 * (CVE-2024-1753, CVE-2021-30465). The caller closes the descriptor. What was made is pushed to `stubs`.
 */
export function openMountTarget(root: string, target: string, kind: 'directory' | 'file', stubs: Stub[]): number {
  let fd: number;
  try {
    fd = openInRoot(root, target, pathOnly);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw cannotMount(target, error);
    fd = openInRoot(root, makePath(root, target, kind, stubs), pathOnly | openFlags.noFollow);
  }
  const isDirectory = fstatSync(fd).isDirectory();
  if (isDirectory === (kind === 'directory')) return fd;
  closeSync(fd);
  throw invalidArgument(
    `cannot mount at "${target}": the image has a ${isDirectory ? 'directory' : 'file'} there, and the source is a ${kind}`,
  );
}

function cannotMount(target: string, cause: unknown): SlipwayError {
  const why = codeOf(cause) ?? String(cause);
  return new SlipwayError('invalid-argument', `cannot mount at "${target}": ${why} while resolving it in the image`, {
    cause,
  });
}

/** Makes what is missing of a path and returns it with all symlinks resolved, also dangling ones. */
export function makePath(root: string, target: string, kind: 'directory' | 'file', stubs: Stub[]): string {
  const rest = target.split('/').filter((part) => part !== '' && part !== '.');
  let current = '';
  for (let links = 0; ; ) {
    const name = rest.shift();
    if (name === undefined) return current || '/';
    if (name === '..') {
      current = current.slice(0, Math.max(0, current.lastIndexOf('/')));
      continue;
    }
    const link = visit(root, current, name, rest.length > 0 ? 'directory' : kind, stubs, target);
    if (link === undefined) {
      current = `${current}/${name}`;
      continue;
    }
    if (++links > symlinkLimit) throw invalidArgument(`cannot mount at "${target}": too many symbolic links`);
    rest.unshift(...link.split('/').filter((part) => part !== '' && part !== '.'));
    if (link.startsWith('/')) current = '';
  }
}

/** One step down: makes a missing name; returns where it leads when it is a symlink. */
function visit(
  root: string,
  parent: string,
  name: string,
  kind: 'directory' | 'file',
  stubs: Stub[],
  target: string,
): string | undefined {
  const parentFd = openInRoot(root, parent || '/', pathOnly | openFlags.directory | openFlags.noFollow);
  try {
    const path = `/proc/self/fd/${parentFd}/${name}`;
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isSymbolicLink()) return readlinkSync(path);
    if (found) return undefined;
    const directory = `/proc/self/fd/${parentFd}/.`;
    const before = statSync(directory, { bigint: true }).mtimeNs;
    if (kind === 'directory') mkdirSync(path, 0o755);
    else writeFileSync(path, '', { flag: 'wx', mode: 0o644 });
    stubs.push({ parent: parent || '/', name, before, after: statSync(directory, { bigint: true }).mtimeNs });
    return undefined;
  } catch (error) {
    throw cannotMount(target, error);
  } finally {
    closeSync(parentFd);
  }
}

/**
 * Takes the stubs away that are still empty. The process had all the time to replace directories by symlinks, so everything is
 * resolved anew inside the root (CVE-2024-23652).
 */
export function removeStubs(root: string, stubs: readonly Stub[]): void {
  for (const stub of stubs.toReversed()) {
    try {
      removeStub(root, stub);
    } catch (error) {
      const code = codeOf(error) ?? systemErrorCode(error);
      // Gone, used by the process, or no longer reachable: not ours any more.
      if (!code || !['ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST', 'ELOOP', 'EROFS', 'EBUSY'].includes(code)) throw error;
    }
  }
}

function removeStub(root: string, { parent, name, before, after }: Stub): void {
  const parentFd = openInRoot(root, parent, pathOnly | openFlags.directory | openFlags.noFollow);
  try {
    const directory = `/proc/self/fd/${parentFd}/.`;
    const untouched = statSync(directory, { bigint: true }).mtimeNs === after;
    const path = `/proc/self/fd/${parentFd}/${name}`;
    const found = lstatSync(path);
    if (found.isDirectory()) rmdirSync(path);
    else if (found.isFile() && found.size === 0) unlinkSync(path);
    else return;
    if (untouched) setModificationTime(directory, before);
  } finally {
    closeSync(parentFd);
  }
}
