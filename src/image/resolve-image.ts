import type { Digest } from '../base/digest.ts';
import { notFound } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { choosePlatform, hostPlatform, type Platform } from '../oci/platform.ts';
import { familiarReference, formatReference, type Reference, withDefaultTag, withDigest } from '../oci/reference.ts';
import { fetchImageMetadata } from './fetch-metadata.ts';
import { type ImageContent, readImage } from './image-content.ts';
import { type ImageOrigin, registryImage } from './image-origin.ts';
import type { ImageRecord, ImageStore } from './image-store.ts';
import type { PullServices } from './pull.ts';

/** `default` takes a local image where there is one, `local` only such, `pull` asks the registry every time. */
export type ResolveMode = 'default' | 'local' | 'pull';

export interface ResolveOptions {
  readonly platform?: Platform | undefined;
  readonly mode?: ResolveMode | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An image to build or run on: its documents are here and held until disposed, its layers may still be elsewhere. */
export interface ResolvedImage extends ImageContent, Disposable {
  readonly target: Descriptor;
  /** Where missing layers come from: give it to `Unpacker.ensureUnpacked`. */
  readonly origin: ImageOrigin;
}

/** Finds an image for a build's FROM or a container: in the local store or at its registry, as the mode says. */
export async function resolveImage(
  services: PullServices,
  reference: Reference,
  options: ResolveOptions = {},
): Promise<ResolvedImage> {
  const { client, content, images } = services;
  const { mode = 'default', platform = hostPlatform(), signal } = options;
  const named = withDefaultTag(reference);
  const origin = registryImage(client, content, named);
  const local = mode === 'pull' ? undefined : findLocal(images, named, platform);
  if (!local) {
    if (mode === 'local') throw notFound(`No such image: ${familiarReference(named)}`);
    return fetchImageMetadata(content, origin, { platform, signal });
  }
  const image = readImage(content, local.manifest);
  const digests: readonly Digest[] = [
    local.record.target.digest,
    image.descriptor.digest,
    image.manifest.config.digest,
  ];
  const held = content.hold(digests);
  return { ...image, target: local.record.target, origin, [Symbol.dispose]: () => held[Symbol.dispose]() };
}

function findLocal(
  images: ImageStore,
  reference: Reference,
  platform: Platform,
): { readonly record: ImageRecord; readonly manifest: Descriptor } | undefined {
  const { digest } = reference;
  const name = digest ? withDigest(reference, digest) : reference;
  const target = images.targetOf(formatReference(name));
  const record = target && images.get(target);
  const chosen = record && choosePlatform(platform, record.manifests, (each) => each.platform);
  return record && chosen && { record, manifest: chosen.descriptor };
}
