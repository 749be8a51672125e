import type { Platform as PlatformMessage, SourceOp } from '../api/gen/ops_pb.js';
import { digestOf } from '../base/digest.ts';
import { hostPlatform, type Platform } from '../oci/platform.ts';
import type { Handle, Op, OpContext } from '../solver/op.ts';
import type { ImageRef, Ref } from './ref.ts';
import type { ResolvedSource, WorkerServices } from './worker-services.ts';

/** FROM an image: keyed by its manifest, pulled only when somebody needs its files. */
export function createImageSource(
  source: SourceOp,
  platform: PlatformMessage | undefined,
  services: WorkerServices,
): Op<Ref> {
  let resolving: Promise<ResolvedSource> | undefined;
  const resolve = (context: OpContext): Promise<ResolvedSource> => {
    resolving ??= resolveSource(source, platformOf(platform), services, context).catch((error: unknown) => {
      resolving = undefined;
      throw error;
    });
    return resolving;
  };
  return {
    cacheMap: async (context) => {
      const { manifestDigest } = await resolve(context);
      // Nothing to keep: finding the image again costs no more than finding a record of it.
      return {
        digest: digestOf(`image ${manifestDigest}`),
        inputs: [],
        cacheable: false,
        facts: { manifest: manifestDigest },
      };
    },
    run: async (_inputs, context) => [holdImage(await resolve(context), context)],
  };
}

function resolveSource(
  source: SourceOp,
  platform: Platform,
  services: WorkerServices,
  context: OpContext,
): Promise<ResolvedSource> {
  const sessions = context.sessions();
  const { signal } = context;
  const layout = /^oci-layout:\/\/(.+)$/.exec(source.identifier)?.[1];
  if (layout !== undefined) {
    const store = source.attrs['oci.store'] ?? '';
    const wanted = source.attrs['oci.session'];
    return services.images.resolveLayout(layout, {
      platform,
      sessions: wanted ? [wanted, ...sessions] : sessions,
      store,
      signal,
    });
  }
  const mode = source.attrs['image.resolvemode'];
  return services.images.resolve(source.identifier.replace(/^docker-image:\/\//, ''), {
    platform,
    mode: mode === 'pull' || mode === 'local' ? mode : 'default',
    sessions,
    signal,
  });
}

/** The last handle to go lets go of the image and of the layers that were unpacked for it. */
function holdImage(resolved: ResolvedSource, context: OpContext): Handle<Ref> {
  const unpack = async (signal: AbortSignal) => {
    try {
      return await resolved.unpack({ signal, status: context.status });
    } finally {
      context.settled();
    }
  };
  const value: ImageRef = { kind: 'image', unpack };
  let holders = 0;
  const take = (): Handle<Ref> => {
    holders++;
    let held = true;
    return {
      value,
      clone: take,
      release: () => {
        if (!held) return;
        held = false;
        if (--holders === 0) resolved[Symbol.dispose]();
      },
    };
  };
  return take();
}

export function platformOf(message: PlatformMessage | undefined): Platform {
  if (!message || message.OS === '') return hostPlatform();
  return {
    os: message.OS,
    architecture: message.Architecture,
    ...(message.Variant === '' ? {} : { variant: message.Variant }),
    ...(message.OSVersion === '' ? {} : { 'os.version': message.OSVersion }),
  };
}
