import type { Digest } from '../base/digest.ts';
import { markImages, type Roots } from '../image/collect.ts';
import type { LayerId, Stack } from '../snapshot/snapshots.ts';
import type { Engine } from './engine.ts';

/** Blobs that were written this recently may be on their way into an image. Milliseconds. */
const graceMs = 60_000;

/** What must stay beside images and cache records. */
export interface OtherRoots {
  /** Containers'. */
  stacks(): Iterable<Stack>;
  /** Of build records. */
  blobs(): Iterable<Digest>;
}

/** Removes what nothing needs: marks from images, containers, build records and cache records, and sweeps layers and blobs. */
export class Collector {
  readonly #engine: Engine;
  readonly #others: OtherRoots;

  constructor(engine: Engine, others: OtherRoots) {
    this.#engine = engine;
    this.#others = others;
  }

  layersOfImages(): ReadonlySet<LayerId> {
    return this.#imageRoots().layers;
  }

  async collect(): Promise<{ readonly freedBytes: number }> {
    const { snapshots, content, cache, layerBlobs } = this.#engine;
    const roots = this.#imageRoots();
    for (const { outputs } of cache.list())
      for (const stack of outputs) for (const layer of stack) roots.layers.add(layer);
    for (const digest of this.#others.blobs()) roots.blobs.add(digest);
    for (const stack of this.#others.stacks()) for (const layer of stack) roots.layers.add(layer);
    for (const layer of roots.layers) {
      const { diffId } = snapshots.info(layer);
      if (diffId !== undefined) for (const blob of layerBlobs.blobsOf(diffId)) roots.blobs.add(blob);
    }
    const layers = await snapshots.collect(roots.layers);
    const blobs = content.collect(roots.blobs, { graceMs });
    const sum = (items: readonly { readonly size: number }[]) => items.reduce((total, { size }) => total + size, 0);
    return { freedBytes: sum(layers) + sum(blobs) };
  }

  #imageRoots(): { blobs: Set<Digest>; layers: Set<LayerId> } {
    const { images, content, snapshots, layerBlobs } = this.#engine;
    const roots = { blobs: new Set<Digest>(), layers: new Set<LayerId>() };
    markImages({ images, content, snapshots, layerBlobs }, roots satisfies Roots);
    return roots;
  }
}
