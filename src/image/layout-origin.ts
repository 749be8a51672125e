import { type Digest, verifyDigest } from '../base/digest.ts';
import { SlipwayError } from '../base/errors.ts';
import { manifestSizeLimit, parseManifest } from '../oci/manifest.ts';
import type { ImageOrigin } from './image-origin.ts';

/** Opens a blob of an image layout; throws not-found. The bytes need not be verified. */
export type OpenBlob = (digest: Digest, signal?: AbortSignal) => AsyncIterable<Uint8Array>;

/** One image of an image layout, such as one that a client serves in its session; `name` is for errors. */
export function layoutImage(name: string, digest: Digest, openBlob: OpenBlob): ImageOrigin {
  return {
    name,
    async resolve(signal) {
      const bytes = await readLimited(verifyDigest(openBlob(digest, signal), digest), name);
      return { mediaType: parseManifest(bytes).mediaType, digest, size: bytes.length };
    },
    open: ({ digest: blob }, signal) => openBlob(blob, signal),
  };
}

async function readLimited(bytes: AsyncIterable<Uint8Array>, name: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > manifestSizeLimit) {
      const message = `cannot read the manifest of "${name}": it is larger than ${manifestSizeLimit} bytes`;
      throw new SlipwayError('resource-exhausted', message);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
