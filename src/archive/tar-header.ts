import { SlipwayError } from '../base/errors.ts';

/** POSIX pax interchange format, ustar header block; GNU's long names and base-256 numbers are read too. */
export const blockSize = 512;

export type TarEntryType = 'file' | 'link' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

/** One member. Names are bytes held in latin1 strings, so that any file name survives. */
export interface TarEntry {
  readonly name: string;
  readonly type: TarEntryType;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content; 0 for all but files. */
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly mtime: bigint;
  readonly linkName: string;
  readonly major: number;
  readonly minor: number;
  /** Extended attributes by full name, such as `security.capability`. */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

const typeFlags: Record<TarEntryType, string> = {
  file: '0',
  link: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

const billion = 1_000_000_000n;

/** Header blocks of an entry, with a pax header before them where ustar cannot say it. */
export function encodeHeader(entry: TarEntry): Buffer {
  const records = new Map<string, Buffer>();
  const text = (key: string, value: string) => records.set(key, Buffer.from(value, 'latin1'));
  const { name, prefix } = splitName(entry.name);
  if (name === undefined || !isAscii(entry.name)) text('path', entry.name);
  if (entry.linkName.length > 100 || !isAscii(entry.linkName)) text('linkpath', entry.linkName);
  if (entry.size > 0o77777777777) text('size', `${entry.size}`);
  if (entry.uid > 0o7777777) text('uid', `${entry.uid}`);
  if (entry.gid > 0o7777777) text('gid', `${entry.gid}`);
  const seconds = floorDivide(entry.mtime, billion);
  if (entry.mtime % billion !== 0n || seconds < 0n || seconds > 0o77777777777n) text('mtime', decimalTime(entry.mtime));
  for (const [key, value] of entry.xattrs) records.set(`SCHILY.xattr.${key}`, Buffer.from(value));
  const header = ustar(entry, name ?? entry.name.slice(0, 100), prefix, seconds < 0n ? 0n : seconds);
  if (records.size === 0) return header;
  return Buffer.concat([paxHeader(entry.name, records), header]);
}

function ustar(entry: TarEntry, name: string, prefix: string, seconds: bigint): Buffer {
  const block = Buffer.alloc(blockSize);
  block.write(name, 0, 100, 'latin1');
  octal(block, 100, 8, entry.mode & 0o7777);
  octal(block, 108, 8, Math.min(entry.uid, 0o7777777));
  octal(block, 116, 8, Math.min(entry.gid, 0o7777777));
  octal(block, 124, 12, entry.type === 'file' ? Math.min(entry.size, 0o77777777777) : 0);
  octal(block, 136, 12, Number(seconds > 0o77777777777n ? 0o77777777777n : seconds));
  block.write(typeFlags[entry.type], 156, 'latin1');
  block.write(entry.linkName.slice(0, 100), 157, 100, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  if (entry.type === 'character' || entry.type === 'block') {
    octal(block, 329, 8, entry.major);
    octal(block, 337, 8, entry.minor);
  }
  block.write(prefix, 345, 155, 'latin1');
  writeChecksum(block);
  return block;
}

function paxHeader(name: string, records: ReadonlyMap<string, Buffer>): Buffer {
  const body = Buffer.concat(
    [...records].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => paxRecord(key, value)),
  );
  const block = Buffer.alloc(blockSize);
  const slash = name.lastIndexOf('/', name.length - 2);
  block.write(`PaxHeaders.0/${name.slice(slash + 1)}`.slice(0, 100), 0, 100, 'latin1');
  octal(block, 100, 8, 0);
  octal(block, 108, 8, 0);
  octal(block, 116, 8, 0);
  octal(block, 124, 12, body.length);
  octal(block, 136, 12, 0);
  block.write('x', 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  writeChecksum(block);
  return Buffer.concat([block, body, Buffer.alloc(paddingOf(body.length))]);
}

/** `length key=value\n`, where the length counts its own digits. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + `${rest}`.length;
  if (`${length}`.length !== `${rest}`.length) length = rest + `${length}`.length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`, 'latin1'), value, Buffer.from('\n')]);
}

function splitName(path: string): { readonly name: string | undefined; readonly prefix: string } {
  if (path.length <= 100) return { name: path, prefix: '' };
  const at = path.lastIndexOf('/', Math.min(155, path.length - 2));
  if (at <= 0 || path.length - at - 1 > 100) return { name: undefined, prefix: '' };
  return { name: path.slice(at + 1), prefix: path.slice(0, at) };
}

function isAscii(text: string): boolean {
  return /^[\x01-\x7f]*$/.test(text);
}

function octal(block: Buffer, at: number, width: number, value: number): void {
  block.write(value.toString(8).padStart(width - 1, '0'), at, width - 1, 'latin1');
}

function writeChecksum(block: Buffer): void {
  block.fill(' ', 148, 156);
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

function checksum(block: Buffer): number {
  let sum = 0;
  for (let i = 0; i < blockSize; i++) sum += i >= 148 && i < 156 ? 32 : (block[i] ?? 0);
  return sum;
}

export function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

function floorDivide(a: bigint, b: bigint): bigint {
  return a / b - (a % b < 0n ? 1n : 0n);
}

/** Seconds with a fraction, as pax writes times: `-1.5`. */
function decimalTime(nanoseconds: bigint): string {
  const magnitude = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const fraction = `${magnitude % billion}`.padStart(9, '0').replace(/0+$/, '');
  return `${nanoseconds < 0n ? '-' : ''}${magnitude / billion}${fraction === '' ? '' : `.${fraction}`}`;
}

/** A header block as it stands in the archive, before pax records are applied. `undefined` for a block of zeros. */
export interface RawHeader {
  readonly typeFlag: string;
  readonly name: string;
  readonly linkName: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly seconds: number;
  readonly major: number;
  readonly minor: number;
}

export function decodeHeader(block: Buffer): RawHeader | undefined {
  if (block[0] === 0 && block.every((byte) => byte === 0)) return undefined;
  const stored = number(block, 148, 8);
  if (stored !== checksum(block)) throw broken('a header has a wrong checksum');
  const isUstar = block.toString('latin1', 257, 262) === 'ustar';
  const isGnu = block.toString('latin1', 257, 265) === 'ustar  \0';
  const prefix = isUstar && !isGnu ? field(block, 345, 155) : '';
  const name = field(block, 0, 100);
  return {
    typeFlag: String.fromCharCode(block[156] ?? 0),
    name: prefix === '' ? name : `${prefix}/${name}`,
    linkName: field(block, 157, 100),
    mode: number(block, 100, 8),
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    size: number(block, 124, 12),
    seconds: number(block, 136, 12),
    major: isUstar ? number(block, 329, 8) : 0,
    minor: isUstar ? number(block, 337, 8) : 0,
  };
}

export function broken(what: string): SlipwayError {
  return new SlipwayError('invalid-argument', `cannot read the tar archive: ${what}`);
}

function field(block: Buffer, at: number, width: number): string {
  const end = block.indexOf(0, at);
  return block.toString('latin1', at, end < 0 || end > at + width ? at + width : end);
}

/** Octal digits, or GNU's base-256 when the first bit is set. Numbers past 2^53 are refused rather than rounded. */
function number(block: Buffer, at: number, width: number): number {
  const first = block[at] ?? 0;
  if ((first & 0x80) === 0) {
    const text = field(block, at, width).trim();
    if (text === '') return 0;
    if (!/^[0-7]+$/.test(text)) throw broken(`a header has ${JSON.stringify(text)} where a number belongs`);
    return Number.parseInt(text, 8);
  }
  const negative = (first & 0x40) !== 0;
  let value = BigInt(first & 0x3f);
  for (let i = at + 1; i < at + width; i++) value = (value << 8n) | BigInt(block[i] ?? 0);
  if (negative) value -= 1n << BigInt(8 * width - 2);
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < -BigInt(Number.MAX_SAFE_INTEGER))
    throw broken('a number is too large');
  return Number(value);
}
