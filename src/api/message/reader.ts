import { invalidArgument } from '../../base/errors.ts';
import { depthLimit, wireType } from './wire.ts';

/** Reads bytes of a message; throws invalid-argument where they are cut or broken. */
export class Reader {
  readonly #bytes: Buffer;
  readonly end: number;
  at: number;
  #high = 0;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = at;
    this.end = end;
  }

  /** The lower 32 bits of a varint; the upper ones are left in `#high`. */
  #varint(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) throw truncated();
      const byte = this.#bytes[this.at++] ?? 0;
      const bits = byte & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >> 4;
      } else high |= bits << (shift - 32);
      if (byte < 128) {
        this.#high = high;
        return low;
      }
    }
    throw invalidArgument('a number takes more than ten bytes');
  }

  uint32(): number {
    return this.#varint() >>> 0;
  }

  int32(): number {
    return this.#varint() | 0;
  }

  bool(): boolean {
    return this.#varint() !== 0 || this.#high !== 0;
  }

  uint64(): bigint {
    const low = this.#varint() >>> 0;
    return this.#high === 0 ? BigInt(low) : (BigInt(this.#high >>> 0) << 32n) | BigInt(low);
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  #fixed(size: number): number {
    const start = this.at;
    if (start + size > this.end) throw truncated();
    this.at = start + size;
    return start;
  }

  fixed32(): number {
    return this.#bytes.readUInt32LE(this.#fixed(4));
  }

  sfixed32(): number {
    return this.#bytes.readInt32LE(this.#fixed(4));
  }

  fixed64(): bigint {
    return this.#bytes.readBigUInt64LE(this.#fixed(8));
  }

  sfixed64(): bigint {
    return this.#bytes.readBigInt64LE(this.#fixed(8));
  }

  float(): number {
    return this.#bytes.readFloatLE(this.#fixed(4));
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#fixed(8));
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    const length = this.uint32();
    const start = this.#fixed(length);
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, length);
  }

  text(): string {
    const length = this.uint32();
    const start = this.#fixed(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  /** A reader of the message or list that comes here, with its length before it. */
  nested(): Reader {
    const length = this.uint32();
    const start = this.#fixed(length);
    return new Reader(this.#bytes, start, start + length);
  }

  /** Goes past a field that nobody knows. */
  skip(type: number, number: number, depth = 0): void {
    switch (type) {
      case wireType.varint:
        this.#varint();
        return;
      case wireType.fixed64:
        this.#fixed(8);
        return;
      case wireType.fixed32:
        this.#fixed(4);
        return;
      case wireType.bytes:
        this.#fixed(this.uint32());
        return;
      case wireType.startGroup:
        this.#skipGroup(number, depth);
        return;
      default:
        throw invalidArgument(`field ${number} has the unknown wire type ${type}`);
    }
  }

  #skipGroup(number: number, depth: number): void {
    if (depth > depthLimit) throw invalidArgument('groups are too deep');
    for (;;) {
      const tag = this.uint32();
      if ((tag & 7) === wireType.endGroup) {
        if (tag >>> 3 !== number) throw invalidArgument(`a group of field ${number} ends as another one`);
        return;
      }
      this.skip(tag & 7, tag >>> 3, depth + 1);
    }
  }
}

function truncated(): Error {
  return invalidArgument('the message ends too early');
}
