import {
  blockSize,
  broken,
  decodeHeader,
  paddingOf,
  type RawHeader,
  type TarEntry,
  type TarEntryType,
} from './tar-header.ts';

/** Headers that describe a header: pax records and GNU long names. Past this size they are an attack. Bytes. */
const extensionLimit = 1024 * 1024;

const types: Readonly<Record<string, TarEntryType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

/** Receives the members in order. A file's content comes in pieces between its `entry` and its `end`. */
export interface TarVisitor {
  entry(entry: TarEntry): void;
  data(bytes: Buffer): void;
  end(): void;
}

/** Takes an archive apart as its bytes come in; synchronous, so that whoever unpacks can write at once. */
export class TarReader {
  readonly #visitor: TarVisitor;
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of content, then of padding, that are still to come. */
  #content = 0;
  #padding = 0;
  #inFile = false;
  #extension: { readonly flag: string; readonly parts: Buffer[] } | undefined;
  #pax = new Map<string, Buffer>();
  readonly #globalPax = new Map<string, Buffer>();
  #finished = false;

  constructor(visitor: TarVisitor) {
    this.#visitor = visitor;
  }

  push(chunk: Uint8Array): void {
    const incoming = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let bytes = this.#rest.length === 0 ? incoming : Buffer.concat([this.#rest, incoming]);
    while (bytes.length > 0 && !this.#finished) {
      const used = this.#step(bytes);
      if (used === 0) break;
      bytes = bytes.subarray(used);
    }
    this.#rest = this.#finished ? Buffer.alloc(0) : Buffer.from(bytes);
  }

  /** Call at the end of the bytes. An archive that lacks its closing zeros is accepted, as GNU tar does; one cut inside a member is not. */
  finish(): void {
    if (this.#content > 0 || this.#inFile || this.#extension || (this.#rest.length > 0 && !this.#finished)) {
      throw broken('it ends inside a member');
    }
  }

  #step(bytes: Buffer): number {
    if (this.#content > 0) return this.#takeContent(bytes);
    if (this.#inFile || this.#extension) this.#endMember();
    if (this.#padding > 0) {
      const used = Math.min(this.#padding, bytes.length);
      this.#padding -= used;
      return used;
    }
    if (bytes.length < blockSize) return 0;
    this.#header(bytes.subarray(0, blockSize));
    return blockSize;
  }

  #takeContent(bytes: Buffer): number {
    const used = Math.min(this.#content, bytes.length);
    const part = bytes.subarray(0, used);
    if (this.#extension) this.#extension.parts.push(Buffer.from(part));
    else if (this.#inFile) this.#visitor.data(part);
    this.#content -= used;
    if (this.#content === 0) this.#endMember();
    return used;
  }

  #endMember(): void {
    if (this.#extension) {
      const { flag, parts } = this.#extension;
      this.#extension = undefined;
      this.#applyExtension(flag, Buffer.concat(parts));
    } else if (this.#inFile) {
      this.#inFile = false;
      this.#visitor.end();
    }
  }

  #header(block: Buffer): void {
    const header = decodeHeader(block);
    if (!header) {
      this.#finished = true;
      return;
    }
    this.#content = header.size;
    if ('xgLK'.includes(header.typeFlag)) {
      if (header.size > extensionLimit) throw broken(`an extended header has ${header.size} bytes`);
      this.#padding = paddingOf(header.size);
      this.#extension = { flag: header.typeFlag, parts: [] };
      if (header.size === 0) this.#endMember();
      return;
    }
    this.#member(header);
  }

  #member(header: RawHeader): void {
    const type = types[header.typeFlag];
    const pax = new Map([...this.#globalPax, ...this.#pax]);
    this.#pax = new Map();
    if ([...pax.keys()].some((key) => key.startsWith('GNU.sparse')) || header.typeFlag === 'S') {
      throw broken('it holds a sparse file, which is not supported');
    }
    const entry = applyPax(header, type ?? 'file', pax);
    if (!type) {
      // Volume labels and the like: their bytes are skipped.
      this.#padding = paddingOf(entry.size);
      this.#content = entry.size;
      return;
    }
    // A link's size is that of the file it names in some archives; no bytes follow.
    const size = type === 'file' ? entry.size : 0;
    this.#content = size;
    this.#padding = paddingOf(size);
    this.#visitor.entry(size === entry.size ? entry : { ...entry, size });
    this.#inFile = true;
    if (size === 0) this.#endMember();
  }

  #applyExtension(flag: string, body: Buffer): void {
    if (flag === 'x') for (const [key, value] of paxRecords(body)) this.#pax.set(key, value);
    else if (flag === 'g') for (const [key, value] of paxRecords(body)) this.#globalPax.set(key, value);
    else {
      const end = body.indexOf(0);
      this.#pax.set(flag === 'L' ? 'path' : 'linkpath', end < 0 ? body : body.subarray(0, end));
    }
  }
}

function* paxRecords(body: Buffer): Generator<[string, Buffer]> {
  for (let at = 0; at < body.length && body[at] !== 0; ) {
    const space = body.indexOf(32, at);
    const length = Number(body.toString('latin1', at, Math.max(space, at)));
    if (space < 0 || !Number.isInteger(length) || length < 5 || at + length > body.length)
      throw broken('a pax record has a wrong length');
    const equals = body.indexOf(61, space);
    if (equals < 0 || equals >= at + length) throw broken('a pax record has no value');
    yield [body.toString('latin1', space + 1, equals), body.subarray(equals + 1, at + length - 1)];
    at += length;
  }
}

function applyPax(header: RawHeader, type: TarEntryType, pax: ReadonlyMap<string, Buffer>): TarEntry {
  const text = (key: string) => pax.get(key)?.toString('latin1');
  const count = (key: string, otherwise: number) => {
    const value = text(key);
    if (value === undefined) return otherwise;
    if (!/^\d{1,15}$/.test(value)) throw broken(`a pax header has ${JSON.stringify(value)} as ${key}`);
    return Number(value);
  };
  const name = text('path') ?? header.name;
  if (name.includes('\0') || text('linkpath')?.includes('\0')) throw broken('a name contains a NUL byte');
  const xattrs = new Map<string, Uint8Array>();
  for (const [key, value] of pax) {
    if (key.startsWith('SCHILY.xattr.')) xattrs.set(key.slice('SCHILY.xattr.'.length), value);
  }
  if (header.size < 0) throw broken('a member has a negative size');
  return {
    name,
    // Archives from before POSIX mark directories by their name.
    type: type === 'file' && name.endsWith('/') ? 'directory' : type,
    mode: header.mode & 0o7777,
    uid: count('uid', header.uid),
    gid: count('gid', header.gid),
    size: count('size', header.size),
    mtime: parseTime(text('mtime')) ?? BigInt(header.seconds) * 1_000_000_000n,
    linkName: text('linkpath') ?? header.linkName,
    major: header.major,
    minor: header.minor,
    xattrs,
  };
}

function parseTime(value: string | undefined): bigint | undefined {
  const match = /^(-?)(\d{1,18})(?:\.(\d{0,9})\d*)?$/.exec(value ?? '');
  if (!match) return undefined;
  const nanoseconds = BigInt(match[2] ?? 0) * 1_000_000_000n + BigInt((match[3] ?? '').padEnd(9, '0'));
  return match[1] === '-' ? -nanoseconds : nanoseconds;
}
