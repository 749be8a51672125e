import { type Digest, digestHex } from '../base/digest.ts';
import { badDocument, optionalString, parseJsonObject } from './json.ts';
import { type Index, parseManifest } from './manifest.ts';
import { mediaTypes } from './media-types.ts';

/** The marker file of an image layout (image-spec image-layout.md). */
export const layoutFileName = 'oci-layout';
export const layoutFileText = '{"imageLayoutVersion":"1.0.0"}';

/** The full name of an image inside a layout, as containerd writes it beside `org.opencontainers.image.ref.name`. */
export const imageNameAnnotation = 'io.containerd.image.name';
export const refNameAnnotation = 'org.opencontainers.image.ref.name';

/** `blobs/sha256/<hex>`. */
export function layoutBlobPath(digest: Digest): string {
  return `blobs/sha256/${digestHex(digest)}`;
}

export function checkLayoutFile(bytes: Uint8Array): void {
  const document = parseJsonObject(bytes, 'oci-layout file', 4096);
  const version = optionalString(document, 'imageLayoutVersion', 'oci-layout file');
  if (!version?.startsWith('1.')) {
    throw badDocument('oci-layout file', `layout version ${JSON.stringify(version ?? null)}, want 1.0.0`);
  }
}

/** Reads `index.json` of an image layout. */
export function parseLayoutIndex(bytes: Uint8Array): Index {
  const document = parseManifest(bytes, mediaTypes.ociIndex);
  if (document.kind === 'index') return document;
  throw badDocument('index.json', 'it is not an index');
}
