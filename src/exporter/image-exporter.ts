import { pushImage } from '../image/push.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { formatManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { formatReference } from '../oci/reference.ts';
import { type CommittedImage, commitImage } from './commit-image.ts';
import { epochOf, type ImageAttrs, readImageAttrs } from './export-attrs.ts';
import type { ExportRequest, ExportResponse, ExportServices } from './exporter.ts';
import { squashTarget } from './squash-target.ts';

/** `type=image`: into the local store under the names given, and on to their registries if wanted. */
export async function exportImage(services: ExportServices, request: ExportRequest): Promise<ExportResponse> {
  const attrs = readImageAttrs(request.attrs, { oci: true });
  const { images, target } = await request.progress.step('exporting layers', () =>
    commitImages(services, request, attrs),
  );
  await request.progress.step(`writing image ${images[0]?.config.digest}`, async () =>
    services.images.put(target, attrs.names),
  );
  for (const name of attrs.names) await request.progress.step(`naming to ${formatReference(name)}`, async () => {});
  if (attrs.push) {
    for (const name of attrs.names) {
      const options = { compression: attrs.compression, signal: request.signal };
      await request.progress.step(`pushing ${formatReference(name)}`, () =>
        pushImage({ client: request.registry, ...services }, name, options),
      );
    }
  }
  return imageResponse(images, target, attrs);
}

/** Manifests of all targets, and what names them together: the lone manifest, or an index over several. */
export async function commitImages(
  services: ExportServices,
  request: ExportRequest,
  attrs: ImageAttrs,
): Promise<{ readonly images: readonly CommittedImage[]; readonly target: Descriptor }> {
  const images = await Promise.all(
    request.targets.map(async (target) => {
      const options = {
        oci: attrs.oci,
        annotations: attrs.annotations,
        epoch: epochOf(request.attrs, target.epoch),
        rewrite: attrs.rewriteTimestamp ? attrs.compression : undefined,
        signal: request.signal,
      };
      if (!attrs.squash) return commitImage(services, target, options);
      using squashed = await squashTarget(services, target);
      return await commitImage(services, squashed, options);
    }),
  );
  const [only] = images;
  if (only && images.length === 1 && only.target.platformId === '') return { images, target: only.manifest };
  return {
    images,
    target: writeIndex(
      services,
      images.map((image) => image.manifest),
      attrs,
    ),
  };
}

export function writeIndex(services: ExportServices, manifests: readonly Descriptor[], attrs: ImageAttrs): Descriptor {
  const mediaType = attrs.oci ? mediaTypes.ociIndex : mediaTypes.dockerIndex;
  const annotations = Object.keys(attrs.indexAnnotations).length > 0 ? { annotations: attrs.indexAnnotations } : {};
  const { digest, size } = services.content.writeSmall(formatManifest({ mediaType, manifests, ...annotations }));
  return { mediaType, digest, size };
}

export function imageResponse(
  images: readonly CommittedImage[],
  target: Descriptor,
  attrs: ImageAttrs,
): ExportResponse {
  const [first] = images;
  return {
    'containerimage.digest': target.digest,
    'containerimage.descriptor': Buffer.from(JSON.stringify(target)).toString('base64'),
    ...(images.length === 1 && first ? { 'containerimage.config.digest': first.config.digest } : {}),
    ...(attrs.names.length > 0 ? { 'image.name': attrs.names.map(formatReference).join(',') } : {}),
  };
}
