import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { invalidArgument } from '../base/errors.ts';

export type OutputStream = 1 | 2;

export interface LogLimits {
  /** Bytes after which the file is put aside; absent: never. */
  readonly maxSize?: number | undefined;
  /** Files kept, the current one among them. */
  readonly maxFiles: number;
}

/** A line without end is cut into pieces of this size, as docker does. */
const pieceSize = 16 * 1024;

/**
 * A container's output on disk, in docker's json-file form: one object a line.
 *
 *     <id>-json.log      {"log":"text\n","stream":"stdout","time":"2026-01-02T15:04:05.000000000Z"}
 *     <id>-json.log.1    the one before, when there is a limit; .2 is older
 */
export class JsonLog {
  readonly path: string;
  readonly #limits: LogLimits;
  readonly #partial = new Map<OutputStream, Buffer>();
  #fd: number | undefined;
  #size = 0;
  #generation = 0;
  #ended = false;
  #changed = Promise.withResolvers<void>();

  constructor(path: string, limits: LogLimits = { maxFiles: 1 }) {
    this.path = path;
    this.#limits = limits;
  }

  /** How often the file was put aside since this began. */
  get generation(): number {
    return this.#generation;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves when more is written, or when it ends. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Never throws: a full disk loses lines, not the container. */
  write(stream: OutputStream, bytes: Uint8Array): void {
    const before = this.#partial.get(stream);
    const all = before === undefined ? bytes : Buffer.concat([before, bytes]);
    const { pieces, rest } = cutLines(all);
    if (pieces.length > 0) this.#append(stream, pieces);
    if (rest.length > 0) this.#partial.set(stream, Buffer.from(rest));
    else this.#partial.delete(stream);
  }

  end(): void {
    if (this.#ended) return;
    for (const [stream, rest] of this.#partial) this.#append(stream, [rest.toString('utf8')]);
    this.#partial.clear();
    this.#ended = true;
    this.#close();
    this.#notify();
  }

  #append(stream: OutputStream, pieces: readonly string[]): void {
    const tail = `,"stream":"${stream === 1 ? 'stdout' : 'stderr'}","time":"${timestamp()}"}\n`;
    try {
      const bytes = Buffer.from(pieces.map((piece) => `{"log":${JSON.stringify(piece)}${tail}`).join(''));
      const fd = this.#open(bytes.length);
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      this.#size += bytes.length;
    } catch {
      this.#close();
    }
    this.#notify();
  }

  #open(more: number): number {
    if (this.#fd === undefined) this.#fd = this.#openFile();
    const { maxSize } = this.#limits;
    if (maxSize === undefined || this.#size === 0 || this.#size + more <= maxSize) return this.#fd;
    this.#close();
    rotate(this.path, this.#limits.maxFiles);
    this.#generation++;
    this.#fd = this.#openFile();
    return this.#fd;
  }

  #openFile(): number {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    const fd = openSync(this.path, 'a', 0o640);
    this.#size = fstatSync(fd).size;
    return fd;
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    if (this.#ended) this.#changed.resolve();
  }
}

function rotate(path: string, maxFiles: number): void {
  const name = (index: number) => (index === 0 ? path : `${path}.${index}`);
  rmSync(name(maxFiles - 1), { force: true });
  for (let index = maxFiles - 2; index >= 0; index--) {
    try {
      renameSync(name(index), name(index + 1));
    } catch {
      // There are not that many yet.
    }
  }
}

/** Whole lines, and pieces of a line that is too long; what is left waits for its end. */
function cutLines(bytes: Uint8Array): { readonly pieces: readonly string[]; readonly rest: Uint8Array } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: string[] = [];
  let at = 0;
  while (at < buffer.length) {
    const newline = buffer.indexOf(10, at);
    const end = newline < 0 ? buffer.length : newline + 1;
    if (end - at > pieceSize) {
      const cut = characterStart(buffer, at + pieceSize);
      pieces.push(buffer.toString('utf8', at, cut));
      at = cut;
    } else if (newline < 0) break;
    else {
      pieces.push(buffer.toString('utf8', at, end));
      at = end;
    }
  }
  return { pieces, rest: buffer.subarray(at) };
}

/** The nearest place at or before `at` where a UTF-8 character begins. */
function characterStart(buffer: Buffer, at: number): number {
  for (let start = at; start > at - 4; start--) if (((buffer[start] ?? 0) & 0xc0) !== 0x80) return start;
  return at;
}

/** RFC 3339 with nine digits, so that times compare as text. */
export function timestamp(milliseconds = performance.timeOrigin + performance.now()): string {
  const micros = Math.floor((milliseconds % 1) * 1000);
  return new Date(milliseconds).toISOString().replace('Z', `${micros.toString().padStart(3, '0')}000Z`);
}

/** docker's `max-size=10m` and `max-file=3`. Throws invalid-argument. */
export function logLimits(config: Readonly<Record<string, string>>): LogLimits {
  const size = config['max-size'];
  const files = Number(config['max-file'] ?? '1');
  if (!Number.isInteger(files) || files < 1)
    throw invalidArgument(`invalid value for max-file: ${JSON.stringify(config['max-file'])}`);
  if (size === undefined || size === '-1') {
    if (files > 1) throw invalidArgument('max-file cannot be more than 1 when max-size is not set');
    return { maxFiles: files };
  }
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?) ?([kmg]?)b?$/i.exec(size) ?? [];
  const factor = { '': 1, k: 1 << 10, m: 1 << 20, g: 1 << 30 }[unit.toLowerCase()] ?? 1;
  const maxSize = Math.floor(Number(count) * factor);
  if (!(maxSize > 0)) throw invalidArgument(`invalid value for max-size: ${JSON.stringify(size)}`);
  return { maxSize, maxFiles: files };
}
