import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { deviceMajor, deviceMinor } from '../kernel/file-attributes.ts';

/** Device nodes may be made, for archives that hold them, but only the harmless ones opened: docker's rules. */
export const defaultDeviceRules: readonly object[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...[3, 5, 7, 8, 9].map((minor) => ({ allow: true, type: 'c', major: 1, minor, access: 'rwm' })),
  ...[0, 1, 2].map((minor) => ({ allow: true, type: 'c', major: 5, minor, access: 'rwm' })),
  { allow: true, type: 'c', major: 136, access: 'rwm' },
];

/** What the runtime makes itself, or what belongs to the container and not to the host. */
const ownOfContainer = new Set([
  'pts',
  'shm',
  'fd',
  'mqueue',
  'console',
  'ptmx',
  'null',
  'zero',
  'full',
  'random',
  'urandom',
  'tty',
]);

/** All devices of the host, as `--privileged` gives them (config-linux.md#devices). */
export function hostDevices(directory = '/dev'): object[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry): object[] => {
    const path = join(directory, entry.name);
    if (directory === '/dev' && ownOfContainer.has(entry.name)) return [];
    if (entry.isDirectory()) return hostDevices(path);
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
    const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (!found) return [];
    return [
      {
        path,
        type: entry.isBlockDevice() ? 'b' : 'c',
        major: deviceMajor(found.rdev),
        minor: deviceMinor(found.rdev),
        fileMode: Number(found.mode) & 0o777,
        uid: Number(found.uid),
        gid: Number(found.gid),
      },
    ];
  });
}
