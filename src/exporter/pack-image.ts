import { readImage } from '../image/image-content.ts';
import type { CompressionChoice } from '../image/materialize-layers.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { formatManifest } from '../oci/manifest.ts';
import type { CommittedImage } from './commit-image.ts';
import type { ExportServices } from './exporter.ts';

/** An image whose layers are blobs. */
export interface PackedImage {
  readonly image: CommittedImage;
  readonly layers: readonly Descriptor[];
}

/** The same image with its layers as blobs, which gives it another manifest. */
export async function packImage(
  services: ExportServices,
  image: CommittedImage,
  compression: CompressionChoice,
  signal: AbortSignal,
): Promise<PackedImage> {
  const content = readImage(services.content, image.manifest);
  const layers = await Promise.all(
    content.manifest.layers.map((_, i) => services.layerBlobs.materialize(content, i, compression, signal)),
  );
  const { kind: _, ...fields } = content.manifest;
  const { digest, size } = services.content.writeSmall(formatManifest({ ...fields, layers }));
  return { image: { ...image, manifest: { ...image.manifest, digest, size } }, layers };
}
