import type { LayerTarOptions } from '../archive/layer-tar.ts';
import type { Digest } from '../base/digest.ts';
import type { Compression } from '../oci/media-types.ts';

/** What images need done with layers' bytes; bound to the archive part by `createLayerArchiver`. */
export interface LayerArchiver {
  /**
   * Applies a layer's blob, compressed in any known way, to an active layer's empty directory. Answers digest and size of the
   * uncompressed tar. Nothing outside the directory is touched whatever the archive says. `parents` are the directories of the layers
   * below, topmost first: directories that the layer only passes through take mode and owner from there.
   */
  apply(
    blobPath: string,
    directory: string,
    parents: readonly string[],
  ): Promise<{ readonly diffId: Digest; readonly tarSize: number }>;
  /** A committed layer's changes as a tar; the same directory always gives the same bytes. */
  write(directory: string, times?: LayerTarOptions): AsyncIterable<Uint8Array>;
  compress(bytes: AsyncIterable<Uint8Array>, compression: Compression, level?: number): AsyncIterable<Uint8Array>;
  /** Undoes any known compression, found by its first bytes; plain bytes pass. */
  decompress(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}
