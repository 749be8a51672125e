import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { type Digest, digestOfHash, parseDigest } from '../base/digest.ts';
import { notFound, SlipwayError } from '../base/errors.ts';
import type { ContentStore } from '../content/content-store.ts';
import { chainIdsOf } from '../oci/chain-id.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Compression, isDockerType, layerCompression, layerMediaType } from '../oci/media-types.ts';
import { diffIdsOf } from '../oci/parse-image-config.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import type { ImageContent } from './image-content.ts';
import type { LayerArchiver } from './layer-archiver.ts';
import { SharedTasks } from './shared-tasks.ts';

export interface CompressionChoice {
  readonly compression: Compression;
  /** The algorithm's own default when absent. */
  readonly level?: number | undefined;
  /** Compresses anew what is there in another form; otherwise blobs leave as they came. */
  readonly force?: boolean | undefined;
}

interface LayerBlobsOptions {
  readonly database: DatabaseSync;
  readonly content: ContentStore;
  readonly snapshots: Snapshots;
  readonly archiver: LayerArchiver;
}

/*
 * layer_blobs   which blob a layer became: diff_id, compression, level (-1 default) → digest, size
 */
const schema = `
  CREATE TABLE IF NOT EXISTS layer_blobs (
    diff_id TEXT NOT NULL, compression TEXT NOT NULL, level INTEGER NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL,
    PRIMARY KEY (diff_id, compression, level)) STRICT;
`;

/**
 * Layers' bytes for when they leave. A layer that was only built has a diffID and a snapshot; here it is written out as
 * a tar, compressed, and remembered, so that the next push or save finds it.
 */
export class LayerBlobs {
  readonly #database: DatabaseSync;
  readonly #content: ContentStore;
  readonly #snapshots: Snapshots;
  readonly #archiver: LayerArchiver;
  readonly #making = new SharedTasks<Descriptor>();

  constructor({ database, content, snapshots, archiver }: LayerBlobsOptions) {
    this.#database = database;
    this.#content = content;
    this.#snapshots = snapshots;
    this.#archiver = archiver;
    database.exec(schema);
  }

  /**
   * The descriptor of one of the image's layers as a blob in the content store. Without `force`, a layer that is there as a
   * blob stays as it is, and one that was only built takes the chosen compression.
   */
  async materialize(
    image: ImageContent,
    index: number,
    choice: CompressionChoice,
    signal?: AbortSignal,
  ): Promise<Descriptor> {
    const layer = image.manifest.layers[index];
    const current = layer && layerCompression(layer.mediaType);
    // What is no file system layer, such as an attestation's statement, leaves as it is.
    if (layer && current === undefined && this.#content.stat(layer.digest)) return layer;
    const diffId = diffIdsOf(image.config)[index];
    if (!layer || !diffId) throw new RangeError(`image "${image.descriptor.digest}" has no layer ${index}`);
    const fits = current === choice.compression || (current !== 'none' && !choice.force);
    if (fits && this.#content.stat(layer.digest)) return layer;
    const known = this.#find(diffId, choice);
    if (known) return withForm(layer, choice.compression, known);
    return this.#making.run(`${diffId} ${choice.compression} ${choice.level ?? ''}`, signal, async (shared) => {
      const tar = this.openTar(image, index, shared);
      const bytes = this.#archiver.compress(tar, choice.compression, choice.level);
      const blob = await this.#content.write(bytes, { signal: shared });
      this.#remember(diffId, choice, blob);
      return withForm(layer, choice.compression, blob);
    });
  }

  /** A layer's uncompressed tar, verified against its diffID at the end: from its blob, or written from its snapshot. */
  openTar(image: ImageContent, index: number, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const layer = image.manifest.layers[index];
    const diffIds = diffIdsOf(image.config);
    const diffId = diffIds[index];
    if (!layer || !diffId) throw new RangeError(`image "${image.descriptor.digest}" has no layer ${index}`);
    const blob = [layer.digest, ...this.blobsOf(diffId)].find((digest) => this.#content.stat(digest));
    const bytes = blob
      ? this.#archiver.decompress(this.#content.read(blob, signal ? { signal } : {}))
      : this.#archiver.write(this.#directoryOf(diffIds, index));
    return verifyDiffId(bytes, diffId);
  }

  /** A layer's blob as it would leave, if there is one already. */
  compressedBlob(diffId: Digest): Descriptor | undefined {
    for (const compression of ['gzip', 'zstd', 'none'] as const) {
      const rows = this.#database
        .prepare('SELECT digest, size FROM layer_blobs WHERE diff_id = ? AND compression = ? ORDER BY level')
        .all(diffId, compression);
      for (const row of rows) {
        const digest = parseDigest(String(row.digest));
        if (this.#content.stat(digest))
          return { mediaType: layerMediaType(compression, true), digest, size: Number(row.size) };
      }
    }
    return undefined;
  }

  /** The blobs that a layer came in or was made into. */
  blobsOf(diffId: Digest): readonly Digest[] {
    const rows = this.#database.prepare('SELECT digest FROM layer_blobs WHERE diff_id = ?').all(diffId);
    return rows.map((row) => parseDigest(String(row.digest)));
  }

  /** Remembers that a blob is a layer in compressed form, so that no one compresses it again. */
  remember(diffId: Digest, compression: Compression, blob: { readonly digest: Digest; readonly size: number }): void {
    this.#remember(diffId, { compression }, blob);
  }

  #directoryOf(diffIds: readonly Digest[], index: number): string {
    const chain = chainIdsOf(diffIds)[index];
    const layer = chain && this.#snapshots.findChain(chain)?.at(-1);
    if (layer) return this.#snapshots.layerDirectory(layer);
    throw notFound(`cannot read layer "${diffIds[index]}": neither its blob nor its files are here`, {
      hint: 'pull or build the image again',
    });
  }

  #find(diffId: Digest, { compression, level }: CompressionChoice): { digest: Digest; size: number } | undefined {
    const row = this.#database
      .prepare('SELECT digest, size FROM layer_blobs WHERE diff_id = ? AND compression = ? AND level = ?')
      .get(diffId, compression, level ?? -1);
    if (!row) return undefined;
    const digest = parseDigest(String(row.digest));
    return this.#content.stat(digest) && { digest, size: Number(row.size) };
  }

  #remember(diffId: Digest, choice: CompressionChoice, { digest, size }: { digest: Digest; size: number }): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO layer_blobs VALUES (?, ?, ?, ?, ?)')
      .run(diffId, choice.compression, choice.level ?? -1, digest, size);
  }
}

function withForm(layer: Descriptor, compression: Compression, blob: { digest: Digest; size: number }): Descriptor {
  const mediaType = layerMediaType(compression, !isDockerType(layer.mediaType));
  return { ...layer, mediaType, digest: blob.digest, size: blob.size };
}

async function* verifyDiffId(bytes: AsyncIterable<Uint8Array>, want: Digest): AsyncGenerator<Uint8Array, void> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
  const got = digestOfHash(hash);
  if (got !== want) throw new SlipwayError('data-loss', `cannot read layer "${want}": its tar has digest "${got}"`);
}
