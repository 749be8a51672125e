import { frameFlag, frameType } from './frames.ts';
import type { HeaderList } from './headers.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import { ConnectionError, errorCode } from './http2-error.ts';

/** A block in pieces may be this large, each piece counted with `pieceCost` (CVE-2024-27316: continuations without end). Bytes. */
const blockLimit = 256 * 1024;
const pieceCost = 128;

/** Headers, and whether nothing follows them. */
export interface HeaderBlock {
  readonly headers: HeaderList;
  readonly endStream: boolean;
}

interface OpenBlock {
  readonly stream: number;
  readonly endStream: boolean;
  readonly parts: Buffer[];
  size: number;
}

/** Puts header blocks together from their frames and reads them. */
export class HeaderBlocks {
  readonly #decoder = new HpackDecoder();
  #open: OpenBlock | undefined;

  /** RFC 9113 §4.3: between the frames of a block there is no other. */
  expect(type: number, stream: number): void {
    const isNext = type === frameType.continuation && this.#open?.stream === stream;
    if (this.#open ? !isNext : type === frameType.continuation)
      throw new ConnectionError(errorCode.protocolError, 'a header block is interrupted');
  }

  /** The headers when this frame completes them. */
  add(type: number, flags: number, stream: number, payload: Buffer): HeaderBlock | undefined {
    const piece = type === frameType.headers ? blockPiece(flags, payload) : payload;
    const endStream = (flags & frameFlag.endStream) !== 0;
    const block = this.#open ?? { stream, endStream, parts: [], size: 0 };
    this.#open = block;
    block.parts.push(piece);
    block.size += piece.length + pieceCost;
    if (block.size > blockLimit) throw new ConnectionError(errorCode.enhanceYourCalm, 'the headers are too large');
    if ((flags & frameFlag.endHeaders) === 0) return undefined;
    this.#open = undefined;
    return { headers: this.#decoder.decode(Buffer.concat(block.parts)), endStream: block.endStream };
  }
}

/** RFC 9113 §6.2: without padding and priority. */
function blockPiece(flags: number, payload: Buffer): Buffer {
  const isPadded = (flags & frameFlag.padded) !== 0;
  const start = (isPadded ? 1 : 0) + (flags & frameFlag.priority ? 5 : 0);
  const end = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
  if (start > end) throw new ConnectionError(errorCode.protocolError, 'a frame is all padding');
  return payload.subarray(start, end);
}
