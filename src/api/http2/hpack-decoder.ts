import type { HeaderList } from './headers.ts';
import { ConnectionError, errorCode } from './http2-error.ts';
import { decodeHuffman } from './huffman.ts';
import { staticTable } from './static-table.ts';

/** RFC 7541 §4.1: what an entry takes beside its bytes. */
const entryOverhead = 32;
/** RFC 9113 §6.5.2: the dynamic table's size unless settings say otherwise. Bytes. */
const tableLimit = 4096;
/** A header list may be this large when it is unpacked: small blocks can name large entries many times. Bytes. */
const listLimit = 256 * 1024;

/** Reads header blocks (RFC 7541). It has a state, so that each block of a connection must be given to it, in order. */
export class HpackDecoder {
  #dynamic: (readonly [name: string, value: string])[] = [];
  #dynamicSize = 0;
  #maximum = tableLimit;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;

  decode(block: Buffer): HeaderList {
    this.#block = block;
    this.#at = 0;
    const headers: (readonly [string, string])[] = [];
    let size = 0;
    while (this.#at < block.length) {
      const entry = this.#representation();
      if (!entry) continue;
      size += sizeOf(entry);
      if (size > listLimit) throw new ConnectionError(errorCode.enhanceYourCalm, 'the headers are too large');
      headers.push(entry);
    }
    return headers;
  }

  /** RFC 7541 §6. Undefined for what changes only the table. */
  #representation(): readonly [string, string] | undefined {
    const first = this.#block[this.#at] ?? 0;
    if (first & 0x80) return this.#entry(this.#integer(7));
    if (first & 0x40) {
      const entry = this.#literal(6);
      this.#insert(entry);
      return entry;
    }
    if (first & 0x20) {
      this.#resize(this.#integer(5));
      return undefined;
    }
    return this.#literal(4);
  }

  #literal(prefix: number): readonly [string, string] {
    const index = this.#integer(prefix);
    const name = index === 0 ? this.#text() : this.#entry(index)[0];
    return [name, this.#text()];
  }

  #entry(index: number): readonly [string, string] {
    const entry = index <= staticTable.length ? staticTable[index - 1] : this.#dynamic[index - staticTable.length - 1];
    if (!entry) throw broken('there is no such entry');
    return entry;
  }

  #insert(entry: readonly [string, string]): void {
    this.#dynamic.unshift(entry);
    this.#dynamicSize += sizeOf(entry);
    this.#evict();
  }

  #resize(maximum: number): void {
    if (maximum > tableLimit) throw broken('its table is too large');
    this.#maximum = maximum;
    this.#evict();
  }

  #evict(): void {
    while (this.#dynamicSize > this.#maximum) {
      const last = this.#dynamic.pop();
      if (!last) return;
      this.#dynamicSize -= sizeOf(last);
    }
  }

  /** RFC 7541 §5.1. */
  #integer(prefix: number): number {
    const mask = 2 ** prefix - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw broken('a number is too large');
  }

  #byte(): number {
    const byte = this.#block[this.#at++];
    if (byte === undefined) throw broken('it ends too early');
    return byte;
  }

  #text(): string {
    const isCoded = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const bytes = this.#block.subarray(this.#at, this.#at + length);
    if (bytes.length < length) throw broken('it ends too early');
    this.#at += length;
    if (!isCoded) return bytes.toString('latin1');
    const text = decodeHuffman(bytes);
    if (!text) throw broken('a text is coded wrongly');
    return text.toString('latin1');
  }
}

function sizeOf([name, value]: readonly [string, string]): number {
  return name.length + value.length + entryOverhead;
}

function broken(why: string): ConnectionError {
  return new ConnectionError(errorCode.compressionError, `cannot read a header block: ${why}`);
}
