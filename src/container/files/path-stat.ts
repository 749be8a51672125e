import { type BigIntStats, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { posix } from 'node:path';
import type { PathStat } from './files-job.ts';

/** Go's os.FileMode bits. */
const goMode = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  pipe: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  character: 2 ** 21,
  sticky: 2 ** 20,
};

/** A path as the API has it, which counts from the root; a `/` or `/.` at its end is kept, since it follows a symlink. */
export function absolutePath(path: string): string {
  const clean = posix.normalize(`/${path}`);
  return /(^|\/)\.$/.test(path) ? `${clean === '/' ? '' : clean.replace(/\/$/, '')}/.` : clean;
}

/** The last word of a path: `.` when its content is meant. */
export function baseName(path: string): string {
  return path === '/' ? '/' : (path.replace(/\/+$/, '').split('/').at(-1) ?? '');
}

/** Throws ENOENT, ENOTDIR. The last symlink is not followed, unless the path ends in `/` or `/.`. */
export function statPath(path: string): PathStat {
  const stat = lstatSync(path, { bigint: true });
  return {
    name: baseName(path),
    size: Number(stat.size),
    mode: goFileMode(stat),
    mtime: `${new Date(Number(stat.mtimeMs)).toISOString().slice(0, 19)}.${`${stat.mtimeNs % 1_000_000_000n}`.padStart(9, '0')}Z`,
    linkTarget: stat.isSymbolicLink() ? linkTarget(path) : '',
  };
}

function goFileMode(stat: BigIntStats): number {
  const bits = Number(stat.mode);
  const kind = stat.isDirectory()
    ? goMode.directory
    : stat.isSymbolicLink()
      ? goMode.symlink
      : stat.isFIFO()
        ? goMode.pipe
        : stat.isSocket()
          ? goMode.socket
          : stat.isBlockDevice()
            ? goMode.device
            : stat.isCharacterDevice()
              ? goMode.device + goMode.character
              : 0;
  const flag = (bit: number, value: number) => (bits & bit ? value : 0);
  return (
    kind + flag(0o4000, goMode.setuid) + flag(0o2000, goMode.setgid) + flag(0o1000, goMode.sticky) + (bits & 0o777)
  );
}

/** A link that leads nowhere is told as it is written. */
function linkTarget(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return posix.resolve(posix.dirname(path), readlinkSync(path));
  }
}
