/** Bits of Go's `os.FileMode` (pkg.go.dev/io/fs#FileMode), which files on the wire carry, and of stat(2). */
const goTypes = { directory: 2 ** 31, symlink: 1 << 27, device: 1 << 26, fifo: 1 << 25, socket: 1 << 24 } as const;
const goCharacterDevice = 1 << 21;
const specials = [
  [0o4000, 1 << 23],
  [0o2000, 1 << 22],
  [0o1000, 1 << 20],
] as const;

export type FileType = 'file' | 'directory' | 'symlink' | 'block-device' | 'character-device' | 'fifo' | 'socket';

const statTypes = new Map<number, FileType>([
  [0o010000, 'fifo'],
  [0o020000, 'character-device'],
  [0o040000, 'directory'],
  [0o060000, 'block-device'],
  [0o100000, 'file'],
  [0o120000, 'symlink'],
  [0o140000, 'socket'],
]);

/** Permissions are stat(2)'s lower twelve bits. */
export interface FileMode {
  readonly type: FileType;
  readonly permissions: number;
}

export function fileModeOfStat(mode: number): FileMode {
  return { type: statTypes.get(mode & 0o170000) ?? 'file', permissions: mode & 0o7777 };
}

const goBits: Readonly<Record<FileType, number>> = {
  file: 0,
  directory: goTypes.directory,
  symlink: goTypes.symlink,
  'block-device': goTypes.device,
  'character-device': goTypes.device | goCharacterDevice,
  fifo: goTypes.fifo,
  socket: goTypes.socket,
};

/** As an unsigned 32-bit number. */
export function goModeOf({ type, permissions }: FileMode): number {
  let mode = goBits[type] | (permissions & 0o777);
  for (const [unix, go] of specials) if (permissions & unix) mode |= go;
  return mode >>> 0;
}

export function fileModeOfGo(mode: number): FileMode {
  let permissions = mode & 0o777;
  for (const [unix, go] of specials) if (mode & go) permissions |= unix;
  return { type: goType(mode), permissions };
}

function goType(mode: number): FileType {
  if (mode >>> 31) return 'directory';
  if (mode & goTypes.symlink) return 'symlink';
  if (mode & goTypes.device) return mode & goCharacterDevice ? 'character-device' : 'block-device';
  if (mode & goTypes.fifo) return 'fifo';
  return mode & goTypes.socket ? 'socket' : 'file';
}
