import type { Digest } from '../base/digest.ts';
import type { ContentStore } from '../content/content-store.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { type Index, type Manifest, parseManifest } from '../oci/manifest.ts';
import { isConfigType } from '../oci/media-types.ts';
import { parseImageConfig } from '../oci/parse-image-config.ts';
import type { Platform } from '../oci/platform.ts';

/** One platform's image as it lies in the content store: everything but the layers. */
export interface ImageContent {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

export function readDocument(content: ContentStore, descriptor: Descriptor): Manifest | Index {
  return parseManifest(content.readSmall(descriptor.digest), descriptor.mediaType);
}

/** The manifest and config of one platform. Throws not-found when either is missing. */
export function readImage(content: ContentStore, descriptor: Descriptor): ImageContent {
  const manifest = readDocument(content, descriptor);
  if (manifest.kind !== 'manifest') throw new TypeError(`"${descriptor.digest}" is an index, want a manifest`);
  return { descriptor, manifest, config: parseImageConfig(content.readSmall(manifest.config.digest)) };
}

/** BuildKit's attestations stand in an index beside the images they are about, on the platform unknown/unknown. */
export function isAttestation({ annotations, platform }: Descriptor): boolean {
  return annotations?.['vnd.docker.reference.type'] === 'attestation-manifest' || platform?.os === 'unknown';
}

/** The images among an index's entries, nested indexes left out. */
export function imagesOfIndex(index: Index): readonly Descriptor[] {
  return index.manifests.filter((each) => !isAttestation(each));
}

/** One image of a stored target, and what it runs on. */
export interface PlatformManifest {
  readonly descriptor: Descriptor;
  readonly config: Digest;
  readonly platform: Platform;
}

/** The images of a target whose manifest and config are in the content store. */
export function presentImages(content: ContentStore, target: Descriptor): readonly PlatformManifest[] {
  const document = readDocument(content, target);
  const descriptors = document.kind === 'index' ? imagesOfIndex(document) : [target];
  return descriptors.flatMap((descriptor) => {
    if (!content.stat(descriptor.digest)) return [];
    const manifest = readDocument(content, descriptor);
    if (manifest.kind !== 'manifest' || !content.stat(manifest.config.digest)) return [];
    // An artifact's config is not an image's; it has no platform of its own.
    const platform = isConfigType(manifest.config.mediaType)
      ? parseImageConfig(content.readSmall(manifest.config.digest))
      : (descriptor.platform ?? { os: 'unknown', architecture: 'unknown' });
    return [{ descriptor, config: manifest.config.digest, platform: descriptor.platform ?? platformFields(platform) }];
  });
}

function platformFields({ os, architecture, variant }: Platform): Platform {
  return { os, architecture, ...(variant ? { variant } : {}) };
}
