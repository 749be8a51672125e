import type { LayerId, Snapshots, Stack } from '../snapshot/snapshots.ts';
import type { Handle } from '../solver/op.ts';

/**
 * What a vertex made. Laziness lives here: an image that is only named by a cache hit is not pulled, and a
 * context that lies on this machine is not copied, until somebody asks for the layers.
 */
export type Ref = LayersRef | ImageRef | DirectoryRef;

export interface LayersRef {
  readonly kind: 'layers';
  readonly stack: Stack;
}

/** A resolved image; `unpack` pulls what is missing, and may be called any number of times. */
export interface ImageRef {
  readonly kind: 'image';
  unpack(signal: AbortSignal): Promise<Stack>;
}

/** A directory of the host that is read in place: a build context. Never written. */
export interface DirectoryRef {
  readonly kind: 'directory';
  readonly path: string;
  /** Which of its files belong to it, as `.dockerignore` says it. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Names the directory's stat index. */
  readonly indexName: string;
  /** Tells how many bytes of it had to be read just now. */
  noteRead(bytes: number): void;
  /** Copies the files into a layer, for those who need one; done once. */
  snapshot(): Promise<Stack>;
}

/** The layers of a ref, made available. */
export async function stackOf(ref: Ref, signal: AbortSignal): Promise<Stack> {
  switch (ref.kind) {
    case 'layers':
      return ref.stack;
    case 'image':
      return ref.unpack(signal);
    case 'directory':
      return ref.snapshot();
  }
}

/** Images among the inputs are pulled now; other refs do nothing before they are asked. */
export async function awaitImages(refs: readonly Ref[], context: { readonly signal: AbortSignal }): Promise<void> {
  await Promise.all(refs.map((ref) => (ref.kind === 'image' ? ref.unpack(context.signal) : undefined)));
}

export const emptyStack: readonly LayerId[] = [];

/** A handle that keeps the layers from collection until it is released. */
export function holdRef(snapshots: Snapshots, ref: Ref): Handle<Ref> {
  const lease = ref.kind === 'layers' ? snapshots.hold(ref.stack) : undefined;
  let released = false;
  return {
    value: ref,
    clone: () => holdRef(snapshots, ref),
    release: () => {
      if (released) return;
      released = true;
      lease?.[Symbol.dispose]();
    },
  };
}
