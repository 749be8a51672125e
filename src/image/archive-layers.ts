import { decompress } from '../archive/compression.ts';
import type { BulkPool } from '../snapshot/bulk-pool.ts';
import type { LayerArchiver } from './layer-archiver.ts';
import { parallelGzip, parallelZstd } from './parallel-compression.ts';
import { streamLayerTar } from './stream-layer-tar.ts';

/** Layers as the archive part reads and writes them, in threads of their own. */
export function createLayerArchiver(pool: BulkPool): LayerArchiver {
  return {
    apply: (blobPath, directory, parents) => pool.run('applyLayerFile', blobPath, directory, parents),
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
