import { ConnectionError, errorCode } from './http2-error.ts';

/** RFC 9113 §6. */
export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const frameFlag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;

export const headerSize = 9;

/** RFC 9113 §3.4. */
export const clientPreface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frameHeader(length: number, type: number, flags: number, stream: number): Buffer {
  const header = Buffer.allocUnsafe(headerSize);
  header.writeUIntBE(length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return header;
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  return Buffer.concat([frameHeader(payload.length, type, flags, stream), payload]);
}

/** Cuts what comes in into frames. */
export class FrameReader {
  readonly #maxPayload: number;
  #parts: Buffer[] = [];
  #size = 0;
  /** Bytes that must be there before it is worth looking. */
  #wanted = headerSize;

  constructor(maxPayload: number) {
    this.#maxPayload = maxPayload;
  }

  /** Throws ConnectionError at a frame that is larger than allowed. */
  read(chunk: Buffer, handle: (frame: Frame) => void): void {
    this.#parts.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#wanted) return;
    const bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts);
    let at = 0;
    for (this.#wanted = headerSize; bytes.length - at >= headerSize; ) {
      const length = bytes.readUIntBE(at, 3);
      if (length > this.#maxPayload)
        throw new ConnectionError(errorCode.frameSizeError, `a frame of ${length} bytes is larger than allowed`);
      const end = at + headerSize + length;
      if (end > bytes.length) {
        this.#wanted = headerSize + length;
        break;
      }
      handle({
        type: bytes[at + 3] ?? 0,
        flags: bytes[at + 4] ?? 0,
        stream: bytes.readUInt32BE(at + 5) & 0x7fff_ffff,
        payload: bytes.subarray(at + headerSize, end),
      });
      at = end;
    }
    const rest = bytes.subarray(at);
    this.#parts = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
  }
}
