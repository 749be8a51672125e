import { applyLayer } from '../archive/apply-layer.ts';
import { decompress } from '../archive/compression.ts';
import type { LayerArchiver } from './layer-archiver.ts';
import { parallelGzip, parallelZstd } from './parallel-compression.ts';
import { streamLayerTar } from './stream-layer-tar.ts';

/** Layers as the archive part reads and writes them. */
export function createLayerArchiver(): LayerArchiver {
  return {
    async apply(bytes, directory, { parents }) {
      const { diffId, tarSize } = await applyLayer(bytes, directory, { parents });
      return { diffId, size: tarSize };
    },
    write: streamLayerTar,
    compress(bytes, compression, level) {
      switch (compression) {
        case 'none':
          return bytes;
        case 'gzip':
          return parallelGzip(bytes, level);
        case 'zstd':
          return parallelZstd(bytes, level);
      }
    },
    decompress,
  };
}
