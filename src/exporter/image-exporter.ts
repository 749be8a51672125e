import { pushImage } from '../image/push.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { formatManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { formatReference } from '../oci/reference.ts';
import { type AttestationManifest, attestationsFor, attestImage } from './attest-image.ts';
import { type CommittedImage, commitImage } from './commit-image.ts';
import { epochOf, type ImageAttrs, readImageAttrs } from './export-attrs.ts';
import type { ExportRequest, ExportResponse, ExportServices } from './exporter.ts';
import { type PackedImage, packImage } from './pack-image.ts';
import { squashTarget } from './squash-target.ts';

/** `type=image`: into the local store under the names given, and on to their registries if wanted. */
export async function exportImage(services: ExportServices, request: ExportRequest): Promise<ExportResponse> {
  const attrs = readImageAttrs(request.attrs, { oci: true, inlineAttestations: true });
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

/** What one export made of all targets. */
export interface ImageSet {
  readonly images: readonly CommittedImage[];
  readonly attestations: readonly AttestationManifest[];
  /** What names them together: the lone manifest, or an index. */
  readonly target: Descriptor;
}

/** Manifests of all targets. An image that something is said of has its layers compressed at once, since what is said names its digest. */
export async function commitImages(
  services: ExportServices,
  request: ExportRequest,
  attrs: ImageAttrs,
): Promise<ImageSet> {
  const committed = await commitAll(services, request, attrs);
  if (!hasAttestations(request, attrs)) return nameTogether(services, committed, [], attrs);
  const packed = await Promise.all(
    committed.map((image) => packImage(services, image, attrs.compression, request.signal)),
  );
  return attestAll(services, packed, attrs);
}

/** Whether anything is said of the images that goes where they go. */
export function hasAttestations({ targets }: ExportRequest, attrs: ImageAttrs): boolean {
  const withInline = attrs.inlineAttestations || targets.some(({ platformId }) => platformId !== '');
  return targets.some(({ attestations }) => attestationsFor(attestations, withInline).length > 0);
}

export async function attestAll(
  services: ExportServices,
  packed: readonly PackedImage[],
  attrs: ImageAttrs,
): Promise<ImageSet> {
  const manifests: AttestationManifest[] = [];
  for (const { image } of packed) {
    const withInline = attrs.inlineAttestations || image.target.platformId !== '';
    const attestations = attestationsFor(image.target.attestations, withInline);
    if (attestations.length > 0) manifests.push(await attestImage(services, image, attestations, attrs));
  }
  return nameTogether(
    services,
    packed.map(({ image }) => image),
    manifests,
    attrs,
  );
}

function nameTogether(
  services: ExportServices,
  images: readonly CommittedImage[],
  attestations: readonly AttestationManifest[],
  attrs: ImageAttrs,
): ImageSet {
  const [only] = images;
  const isLone = images.length === 1 && attestations.length === 0 && only?.target.platformId === '';
  const target =
    only && isLone
      ? only.manifest
      : writeIndex(
          services,
          [...images, ...attestations].map(({ manifest }) => manifest),
          attrs,
        );
  return { images, attestations, target };
}

export async function commitAll(
  services: ExportServices,
  request: ExportRequest,
  attrs: ImageAttrs,
): Promise<readonly CommittedImage[]> {
  return Promise.all(
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
}

function writeIndex(services: ExportServices, manifests: readonly Descriptor[], attrs: ImageAttrs): Descriptor {
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
