import type { Digest } from '../base/digest.ts';
import { isErrorCode, notFound } from '../base/errors.ts';
import type { ContentStore } from '../content/content-store.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { badDocument } from '../oci/json.ts';
import { type Index, type Manifest, manifestSizeLimit } from '../oci/manifest.ts';
import { isConfigType, isIndexType, isManifestType } from '../oci/media-types.ts';
import { choosePlatform, formatPlatform, hostPlatform, type Platform } from '../oci/platform.ts';
import { type ImageContent, imagesOfIndex, readDocument, readImage } from './image-content.ts';
import type { ImageOrigin } from './image-origin.ts';

export interface FetchOptions {
  /** This machine's when absent. */
  readonly platform?: Platform | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An image of which everything but the layers is in the content store, held there until disposed. */
export interface FetchedImage extends ImageContent, Disposable {
  /** What the name stands for: the manifest itself, or the index that it was chosen from. */
  readonly target: Descriptor;
  /** Where its layers come from. */
  readonly origin: ImageOrigin;
}

const deepestIndex = 4;
const configLimit = 8 << 20;

/**
 * Resolves an image and fetches its manifest and config, no layer: enough to build on an image that may never be needed as
 * files. Throws not-found when it is not made for the platform.
 */
export async function fetchImageMetadata(
  content: ContentStore,
  origin: ImageOrigin,
  options: FetchOptions = {},
): Promise<FetchedImage> {
  const { platform = hostPlatform(), signal } = options;
  const target = await origin.resolve(signal);
  using holds = new DisposableStack();
  const bring = async (descriptor: Descriptor, limit: number) => {
    holds.use(content.hold([descriptor.digest]));
    await fetchSmall(content, origin, descriptor, limit, signal);
  };
  await bring(target, manifestSizeLimit);
  let descriptor = target;
  let document: Manifest | Index = readDocument(content, descriptor);
  for (let depth = 1; document.kind === 'index'; depth++) {
    if (depth > deepestIndex)
      throw badDocument(`"${origin.name}"`, `its indexes nest deeper than ${deepestIndex} levels`);
    descriptor = chooseManifest(origin, document, platform);
    await bring(descriptor, manifestSizeLimit);
    document = readDocument(content, descriptor);
  }
  if (!isConfigType(document.config.mediaType)) {
    throw badDocument(`"${origin.name}"`, `it is not an image but an artifact of type "${document.config.mediaType}"`);
  }
  await bring(document.config, configLimit);
  const image = readImage(content, descriptor);
  const held = holds.move();
  return { ...image, target, origin, [Symbol.dispose]: () => held.dispose() };
}

async function fetchSmall(
  content: ContentStore,
  origin: ImageOrigin,
  descriptor: Descriptor,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { digest, size } = descriptor;
  if (isIntact(content, digest)) return;
  if (size > limit) throw badDocument(`"${digest}" of "${origin.name}"`, `it has ${size} bytes, the limit is ${limit}`);
  await content.write(origin.open(descriptor, signal), { expected: descriptor, ...(signal ? { signal } : {}) });
}

/** A damaged document is dropped, so that it is fetched anew. */
function isIntact(content: ContentStore, digest: Digest): boolean {
  if (!content.stat(digest)) return false;
  try {
    content.readSmall(digest);
    return true;
  } catch (error) {
    if (!isErrorCode(error, 'data-loss')) throw error;
    content.remove(digest);
    return false;
  }
}

function chooseManifest(origin: ImageOrigin, index: Index, platform: Platform): Descriptor {
  const known = ({ mediaType }: Descriptor) => isManifestType(mediaType) || isIndexType(mediaType);
  const candidates = imagesOfIndex(index).filter(known);
  const chosen = choosePlatform(platform, candidates, (each) => each.platform);
  if (chosen) return chosen;
  const [only, ...others] = candidates;
  // An entry without a platform says nothing against it: its config will tell.
  if (only && others.length === 0 && only.platform === undefined) return only;
  const there = candidates.flatMap((each) => (each.platform ? [formatPlatform(each.platform)] : [])).join(', ');
  throw notFound(
    `no match for platform ${formatPlatform(platform)} in "${origin.name}": it is made for ${there || 'no platform'}`,
    { hint: there ? 'choose one of them with --platform' : undefined },
  );
}
