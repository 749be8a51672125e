import { createHash } from 'node:crypto';
import { type Digest, digestOfHash } from '../base/digest.ts';
import type { CompressionChoice } from '../image/materialize-layers.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { layerMediaType } from '../oci/media-types.ts';
import type { LayerId } from '../snapshot/snapshots.ts';
import type { ExportServices } from './exporter.ts';

interface RewriteOptions {
  readonly oci: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A layer as a blob in which no file is later than the epoch (seconds since 1970): the same files give the same bytes anywhere. */
export async function rewriteLayer(
  { snapshots, archiver, content, layerBlobs }: ExportServices,
  layer: LayerId,
  epoch: number,
  { compression, level }: CompressionChoice,
  { oci, signal }: RewriteOptions,
): Promise<{ readonly diffId: Digest; readonly descriptor: Descriptor }> {
  const hash = createHash('sha256');
  const tar = hashed(
    archiver.write(snapshots.layerDirectory(layer), { latestTime: BigInt(epoch) * 1_000_000_000n }),
    hash,
  );
  const bytes = archiver.compress(tar, compression, level);
  const { digest, size } = await content.write(bytes, signal ? { signal } : {});
  const diffId = digestOfHash(hash);
  layerBlobs.remember(diffId, compression, { digest, size });
  return { diffId, descriptor: { mediaType: layerMediaType(compression, oci), digest, size } };
}

async function* hashed(
  bytes: AsyncIterable<Uint8Array>,
  hash: { update(bytes: Uint8Array): unknown },
): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
}
