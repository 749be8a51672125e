import { posix } from 'node:path';
import { invalidArgument } from '../../base/errors.ts';

/** One side of `cp`: `web:/etc/hosts`, `./file`, `-`. */
export interface CopyPlace {
  /** Undefined on this machine. */
  readonly container: string | undefined;
  readonly path: string;
}

/** What is copied, or where to. */
export interface CopyEnd {
  readonly path: string;
  readonly exists: boolean;
  readonly isDirectory: boolean;
}

/** An archive whose members begin with `from` is unpacked below `directory` with `to` in its place. */
export interface CopyPlan {
  readonly directory: string;
  readonly from: string;
  readonly to: string;
}

/** A path that begins with `/` or `.` is of this machine, whatever colon is in it. */
export function parsePlace(text: string): CopyPlace {
  const colon = text.indexOf(':');
  if (text.startsWith('/') || text.startsWith('.') || colon <= 0) return { container: undefined, path: text };
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}

/** The directory's content is meant, not the directory. */
export const meansContent = (path: string): boolean => /(^|\/)\.$/.test(path);

const meansDirectory = (path: string) => path.endsWith('/') || meansContent(path);

/** The first word of an archive's members, as the daemon and `local-tar.ts` write them. */
export function memberName(path: string): string {
  return meansContent(path) || path === '/' ? '.' : posix.basename(path);
}

/** docker's rules for `cp`: into a directory, in the place of a file, or under a new name. Throws invalid-argument in its words. */
export function planCopy(source: Omit<CopyEnd, 'exists'>, name: string, target: CopyEnd): CopyPlan {
  const from = memberName(source.path);
  if (target.exists && target.isDirectory) return { directory: target.path, from, to: from === '.' ? '.' : name };
  if (target.exists && source.isDirectory) throw invalidArgument('cannot copy directory');
  if (target.exists && meansDirectory(target.path)) throw invalidArgument('not a directory');
  if (!target.exists && !source.isDirectory && meansDirectory(target.path)) throw invalidArgument('no such directory');
  const path = target.path.replace(/\/+\.?$/, '') || '/';
  return { directory: posix.dirname(path), from, to: posix.basename(path) };
}

/** A member's name with the first word replaced. */
export function renamed(name: string, { from, to }: Pick<CopyPlan, 'from' | 'to'>): string {
  if (from === to) return name;
  const rest = name === from ? '' : name.startsWith(`${from}/`) ? name.slice(from.length) : undefined;
  return rest === undefined ? name : `${to}${rest}`;
}
