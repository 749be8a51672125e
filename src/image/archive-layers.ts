import { Readable } from 'node:stream';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import { applyLayer } from '../archive/apply-layer.ts';
import { decompress } from '../archive/compression.ts';
import type { LayerArchiver } from './layer-archiver.ts';
import { streamLayerTar } from './stream-layer-tar.ts';

const chunkSize = 256 << 10;

/** Layers as the archive part reads and writes them. */
export function createLayerArchiver(): LayerArchiver {
  return {
    async apply(bytes, directory, { parents }) {
      const { diffId, tarSize } = await applyLayer(bytes, directory, { parents });
      return { diffId, size: tarSize };
    },
    write: (directory) => streamLayerTar(directory),
    compress(bytes, compression, level) {
      switch (compression) {
        case 'none':
          return bytes;
        case 'gzip':
          return through(bytes, createGzip({ chunkSize, ...(level === undefined ? {} : { level }) }));
        case 'zstd':
          return through(
            bytes,
            createZstdCompress({ chunkSize, params: { [constants.ZSTD_c_compressionLevel]: level ?? 3 } }),
          );
      }
    },
    decompress,
  };
}

async function* through(
  bytes: AsyncIterable<Uint8Array>,
  transform: NodeJS.ReadWriteStream & Readable,
): AsyncGenerator<Uint8Array, void> {
  const source = Readable.from(bytes, { objectMode: false });
  source.on('error', (error) => transform.destroy(error));
  source.pipe(transform);
  try {
    yield* transform;
  } finally {
    source.destroy();
    transform.destroy();
  }
}
