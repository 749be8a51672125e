import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, zstdCompress } from 'node:zlib';

const deflate = promisify(deflateRaw);
const zstd = promisify(zstdCompress) as (
  bytes: Uint8Array,
  options: { readonly params: Record<number, number> },
) => Promise<Buffer>;

/** Large enough that cutting costs little compression (about 1 % for gzip), small enough for every core to have work. Bytes. */
const gzipBlock = 1 << 20;
const zstdFrame = 4 << 20;
const windowSize = 32 << 10;

/**
 * One gzip member, its blocks deflated side by side on zlib's thread pool. Each block begins with the window of the one before as its
 * dictionary and ends on a byte boundary, so that their sequence is one deflate stream (RFC 1951, 1952). The same bytes
 * always give the same bytes.
 */
export async function* parallelGzip(bytes: AsyncIterable<Uint8Array>, level = 6): AsyncGenerator<Uint8Array, void> {
  let crc = 0;
  let size = 0;
  let previous: Uint8Array | undefined;
  yield Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
  yield* inParallel(cut(bytes, gzipBlock), (block) => {
    crc = crc32(block, crc);
    size += block.length;
    const dictionary = previous?.subarray(-windowSize);
    previous = block;
    return deflate(block, {
      level,
      chunkSize: gzipBlock,
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(dictionary ? { dictionary } : {}),
    });
  });
  const end = Buffer.alloc(10);
  // An empty last block, then the trailer.
  end.writeUInt16LE(0x0003, 0);
  end.writeUInt32LE(crc, 2);
  end.writeUInt32LE(size % 2 ** 32, 6);
  yield end;
}

/** Zstandard frames in a row, which every decoder reads as one stream (RFC 8878, 3.1), compressed side by side. */
export async function* parallelZstd(bytes: AsyncIterable<Uint8Array>, level = 3): AsyncGenerator<Uint8Array, void> {
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 };
  let empty = true;
  for await (const frame of inParallel(cut(bytes, zstdFrame), (block) => zstd(block, { params }))) {
    empty = false;
    yield frame;
  }
  if (empty) yield await zstd(Buffer.alloc(0), { params });
}

/** Pieces of exactly `size` bytes, the last one shorter. */
async function* cut(bytes: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array, void> {
  let block = Buffer.allocUnsafe(size);
  let used = 0;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; ) {
      const count = Math.min(size - used, chunk.length - at);
      block.set(chunk.subarray(at, at + count), used);
      used += count;
      at += count;
      if (used < size) continue;
      yield block;
      block = Buffer.allocUnsafe(size);
      used = 0;
    }
  }
  if (used > 0) yield block.subarray(0, used);
}

/** Works on as many pieces at a time as there are cores, and gives the results in order. */
async function* inParallel(
  pieces: AsyncIterable<Uint8Array>,
  work: (piece: Uint8Array) => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  const running: Promise<Uint8Array>[] = [];
  const width = availableParallelism() + 1;
  for await (const piece of pieces) {
    const result = work(piece);
    // Whoever waits for it hears of a failure; after an early end nobody does.
    result.catch(() => {});
    running.push(result);
    const first = running.length >= width ? running.shift() : undefined;
    if (first) yield await first;
  }
  for (const result of running) yield await result;
}
