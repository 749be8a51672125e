import { isErrorCode } from '../base/errors.ts';
import type { ContentStore } from '../content/content-store.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { isIndexType, isManifestType } from '../oci/media-types.ts';
import { formatReference, type Reference, withDefaultTag } from '../oci/reference.ts';
import { fetchUnverified } from '../registry/fetcher.ts';
import type { RegistryClient } from '../registry/registry-client.ts';
import { fetchManifest, resolveReference } from '../registry/resolver.ts';

/** Where one image comes from: a registry, or an image layout. What it says is checked by whoever stores it. */
export interface ImageOrigin {
  /** For errors: the reference, or the layout's path. */
  readonly name: string;
  /** What the image's name stands for now. */
  resolve(signal?: AbortSignal): Promise<Descriptor>;
  /** The bytes of a manifest, index, config or layer, unproven: give them to `ContentStore.write` as `expected`. */
  open(descriptor: Descriptor, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** An image of a registry, by tag or digest; `latest` where there is neither. */
export function registryImage(client: RegistryClient, content: ContentStore, reference: Reference): ImageOrigin {
  const named = withDefaultTag(reference);
  return {
    name: formatReference(named),
    resolve: (signal) => resolveReference(client, named, { signal }),
    open: (descriptor, signal) =>
      isIndexType(descriptor.mediaType) || isManifestType(descriptor.mediaType)
        ? openManifest(client, named, descriptor, signal)
        : openBlob(client, content, named, descriptor, signal),
  };
}

async function* openManifest(
  client: RegistryClient,
  reference: Reference,
  { digest }: Descriptor,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  yield (await fetchManifest(client, reference, { digest, signal })).bytes;
}

/** With a second try at the registry itself after a mirror served wrong bytes. */
async function* openBlob(
  client: RegistryClient,
  content: ContentStore,
  reference: Reference,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  const origin = () => fetchUnverified(client, reference, descriptor, { signal, originOnly: true });
  if (client.hosts.endpointsFor(reference.domain).length === 1) {
    yield* origin();
    return;
  }
  // What a mirror sends is proven in the store before anybody sees it.
  const options = signal ? { signal } : {};
  using _ = content.hold([descriptor.digest]);
  try {
    await content.write(fetchUnverified(client, reference, descriptor, { signal }), {
      expected: descriptor,
      ...options,
    });
  } catch (error) {
    if (!isErrorCode(error, 'data-loss')) throw error;
    yield* origin();
    return;
  }
  yield* content.read(descriptor.digest, options);
}
