import { SessionContent } from '../api/session/session-content.ts';
import { parseDigest } from '../base/digest.ts';
import { invalidArgument } from '../base/errors.ts';
import { fetchImageMetadata } from '../image/fetch-metadata.ts';
import { readImage } from '../image/image-content.ts';
import { registryImage } from '../image/image-origin.ts';
import { layoutImage } from '../image/layout-origin.ts';
import { type ResolvedImage, resolveImage } from '../image/resolve-image.ts';
import type { UnpackedImage } from '../image/unpack.ts';
import { choosePlatform, type Platform } from '../oci/platform.ts';
import { parseReference, type Reference } from '../oci/reference.ts';
import type { RegistryClient } from '../registry/registry-client.ts';
import type { ImageSource, ResolvedSource } from '../worker/worker-services.ts';
import type { Engine } from './engine.ts';

type ResolveParameters = Parameters<ImageSource['resolve']>[1];
type LayoutParameters = Parameters<ImageSource['resolveLayout']>[1];

/** Finds images for builds: in the local store, at registries, in layouts that clients serve. */
export class ImageResolver implements ImageSource {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async resolve(reference: string, options: ResolveParameters): Promise<ResolvedSource> {
    return this.#source(await this.image(reference, options));
  }

  async resolveLayout(reference: string, options: LayoutParameters): Promise<ResolvedSource> {
    return this.#source(await this.layout(reference, options));
  }

  /** The documents of an image, its layers not yet. */
  async image(reference: string, { platform, mode, sessions, signal }: ResolveParameters): Promise<ResolvedImage> {
    const { content, images, unpacker } = this.#engine;
    const client = this.#engine.registryFor(sessions);
    const parsed = parseReference(reference);
    return (
      this.#byDigest(parsed, platform, client) ??
      resolveImage({ client, content, images, unpacker }, parsed, { platform, mode, signal })
    );
  }

  /** A pinned name is whatever has that digest here, also when no registry ever gave it that name. */
  #byDigest(reference: Reference, platform: Platform, client: RegistryClient): ResolvedImage | undefined {
    const { content, images } = this.#engine;
    const record = reference.digest && images.get(reference.digest);
    const chosen = record && choosePlatform(platform, record.manifests, (each) => each.platform);
    if (!record || !chosen) return undefined;
    const image = readImage(content, chosen.descriptor);
    const held = content.hold([record.target.digest, image.descriptor.digest, image.manifest.config.digest]);
    return {
      ...image,
      target: record.target,
      origin: registryImage(client, content, reference),
      [Symbol.dispose]: () => held[Symbol.dispose](),
    };
  }

  async layout(reference: string, { platform, sessions, store, signal }: LayoutParameters): Promise<ResolvedImage> {
    const digest = /@(sha256:[0-9a-f]{64})$/.exec(reference)?.[1];
    if (digest === undefined)
      throw invalidArgument(`cannot use ${JSON.stringify(reference)} as an OCI layout: it names no digest`);
    const [session] = sessions;
    const blobs = new SessionContent(await this.#engine.sessions.get(session ?? '', { signal }), `oci:${store}`);
    const origin = layoutImage(reference, parseDigest(digest), (blob, abort) =>
      blobs.read(blob, { signal: abort ?? signal }),
    );
    const image = await fetchImageMetadata(this.#engine.content, origin, { platform, signal });
    return { ...image, origin };
  }

  #source(image: ResolvedImage): ResolvedSource {
    let unpacked: UnpackedImage | undefined;
    return {
      manifestDigest: image.descriptor.digest,
      unpack: async ({ signal, status }) => {
        unpacked ??= await this.#engine.unpacker.ensureUnpacked(image, {
          origin: image.origin,
          signal,
          onProgress: ({ digest, state, current = 0, total }) =>
            status(state === 'unpacking' || state === 'unpacked' ? `extracting ${digest}` : digest, {
              current,
              ...(total === undefined ? {} : { total }),
              completed: state === 'fetched' || state === 'unpacked' || state === 'exists',
            }),
        });
        return unpacked.stack;
      },
      [Symbol.dispose]: () => {
        unpacked?.[Symbol.dispose]();
        image[Symbol.dispose]();
      },
    };
  }
}
