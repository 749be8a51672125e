import { createLimiter } from '../base/async.ts';
import type { Digest } from '../base/digest.ts';
import { isErrorCode, notFound, SlipwayError } from '../base/errors.ts';
import type { ContentStore } from '../content/content-store.ts';
import { chainIdsOf } from '../oci/chain-id.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { isForeignLayer, layerCompression } from '../oci/media-types.ts';
import { diffIdsOf } from '../oci/parse-image-config.ts';
import type { Snapshots, Stack } from '../snapshot/snapshots.ts';
import type { ImageContent } from './image-content.ts';
import type { ImageOrigin } from './image-origin.ts';
import type { LayerArchiver } from './layer-archiver.ts';
import type { LayerBlobs } from './materialize-layers.ts';
import { SharedTasks } from './shared-tasks.ts';
import { countBytes, type OnTransfer } from './transfer-progress.ts';

export interface UnpackOptions {
  /** Where layers come from that are not in the content store. */
  readonly origin?: Pick<ImageOrigin, 'open'> | undefined;
  readonly onProgress?: OnTransfer | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface UnpackerServices {
  readonly content: ContentStore;
  readonly snapshots: Snapshots;
  readonly archiver: LayerArchiver;
  readonly layerBlobs: LayerBlobs;
}

/** A stack that is held against collection until it is disposed. */
export interface UnpackedImage extends Disposable {
  readonly stack: Stack;
}

/** As many layers as an overlay mount takes with room for a build's own. */
const mostLayers = 450;
const parallelFetches = 4;

/** Turns images' layers into snapshots, each once: concurrent callers share fetches and unpacked layers. */
export class Unpacker {
  readonly #content: ContentStore;
  readonly #snapshots: Snapshots;
  readonly #archiver: LayerArchiver;
  readonly #layerBlobs: LayerBlobs;
  readonly #fetches = new SharedTasks<void>();
  readonly #stacks = new SharedTasks<Stack>();
  readonly #limitFetches = createLimiter(parallelFetches);

  constructor({ content, snapshots, archiver, layerBlobs }: UnpackerServices) {
    this.#content = content;
    this.#snapshots = snapshots;
    this.#archiver = archiver;
    this.#layerBlobs = layerBlobs;
  }

  /** The stack of an image that is unpacked already; costs no I/O. */
  findUnpacked(image: ImageContent): Stack | undefined {
    const chain = chainIdsOf(diffIdsOf(image.config)).at(-1);
    return chain === undefined ? [] : this.#snapshots.findChain(chain);
  }

  /** The image's stack, unpacked as far as it is not yet; missing layer blobs are fetched from their origin, several at a time. */
  async ensureUnpacked(image: ImageContent, options: UnpackOptions = {}): Promise<UnpackedImage> {
    const layers = checkedLayers(image);
    const diffIds = diffIdsOf(image.config);
    const chain = chainIdsOf(diffIds);
    let done = layers.length;
    while (done > 0 && this.#stackAt(chain, done) === undefined) done--;
    const base = this.#stackAt(chain, done) ?? [];
    const rest = layers.slice(done);
    using held = new DisposableStack();
    held.use(this.#snapshots.hold(base));
    const abort = new AbortController();
    const signal = options.signal ? AbortSignal.any([abort.signal, options.signal]) : abort.signal;
    using _ = this.#content.hold(layers.map((each) => each.digest));
    const fetches = rest.map((layer) => this.fetchLayer(layer, { ...options, signal }));
    for (const fetch of fetches) fetch.catch(() => {});
    try {
      let stack = base;
      for (const [index, layer] of rest.entries()) {
        await fetches[index];
        const at = done + index;
        stack = await this.#apply(layer, stack, diffIds[at], chain[at], options);
        held.use(this.#snapshots.hold(stack));
      }
      const holds = held.move();
      return { stack, [Symbol.dispose]: () => holds.dispose() };
    } finally {
      abort.abort();
    }
  }

  /** Brings one layer's blob into the content store. */
  async fetchLayer(layer: Descriptor, { origin, onProgress, signal }: UnpackOptions): Promise<void> {
    const { digest, size: total } = layer;
    if (this.#content.stat(digest)) {
      onProgress?.({ digest, state: 'exists' });
      return;
    }
    if (!origin)
      throw notFound(`cannot unpack layer "${digest}": its bytes are not here`, { hint: 'pull the image again' });
    onProgress?.({ digest, state: 'waiting' });
    await this.#fetches.run(digest, signal, (shared) =>
      this.#limitFetches(async () => {
        shared.throwIfAborted();
        const tell = (current: number) => onProgress?.({ digest, state: 'fetching', current, total });
        await this.#content.write(countBytes(origin.open(layer, shared), tell), { expected: layer, signal: shared });
      }),
    );
    onProgress?.({ digest, state: 'fetched', current: total, total });
  }

  #stackAt(chain: readonly Digest[], count: number): Stack | undefined {
    const id = chain[count - 1];
    return id === undefined ? [] : this.#snapshots.findChain(id);
  }

  async #apply(
    layer: Descriptor,
    below: Stack,
    diffId: Digest | undefined,
    chainId: Digest | undefined,
    { onProgress, signal }: UnpackOptions,
  ): Promise<Stack> {
    if (diffId === undefined || chainId === undefined) throw new RangeError('more layers than diffIDs');
    return this.#stacks.run(chainId, signal, async (shared) => {
      const known = this.#snapshots.findChain(chainId);
      if (known) return known;
      onProgress?.({ digest: layer.digest, state: 'unpacking' });
      const stack = await this.#applyAnew(layer, below, diffId, shared);
      this.#snapshots.setChain(chainId, stack);
      const hold = this.#snapshots.hold(stack);
      // Held until every waiter had its turn to hold it.
      setImmediate(() => hold[Symbol.dispose]());
      onProgress?.({ digest: layer.digest, state: 'unpacked' });
      return stack;
    });
  }

  async #applyAnew(layer: Descriptor, below: Stack, diffId: Digest, signal: AbortSignal): Promise<Stack> {
    const active = this.#snapshots.prepare(below);
    try {
      signal.throwIfAborted();
      const parents = below.map((id) => this.#snapshots.layerDirectory(id)).reverse();
      const directory = this.#snapshots.activeDirectory(active);
      const applied = await this.#archiver.apply(this.#content.path(layer.digest), directory, parents);
      signal.throwIfAborted();
      if (applied.diffId !== diffId) {
        throw new SlipwayError(
          'data-loss',
          `cannot unpack layer "${layer.digest}": its content has diffID "${applied.diffId}", the image config says "${diffId}"`,
        );
      }
      // A tar that we would write of these files has another digest than the one they came in.
      this.#layerBlobs.remember(diffId, layerCompression(layer.mediaType) ?? 'none', layer);
      return [...below, this.#snapshots.commit(active, { diffId, tarSize: applied.tarSize })];
    } catch (error) {
      this.#snapshots.discard(active);
      await this.#dropIfDamaged(layer, signal);
      throw error;
    }
  }

  /** A blob that went bad on disk must not stand in the way of the next pull. */
  async #dropIfDamaged({ digest }: Descriptor, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    try {
      for await (const _ of this.#content.read(digest)) signal.throwIfAborted();
    } catch (error) {
      if (isErrorCode(error, 'data-loss')) this.#content.remove(digest);
    }
  }
}

function checkedLayers({ descriptor, manifest, config }: ImageContent): readonly Descriptor[] {
  const { layers } = manifest;
  const refuse = (why: string) =>
    new SlipwayError('failed-precondition', `cannot unpack image "${descriptor.digest}": ${why}`);
  const diffIds = config.rootfs.diff_ids.length;
  if (layers.length !== diffIds) throw refuse(`it has ${layers.length} layers but ${diffIds} diffIDs`);
  if (layers.length > mostLayers) throw refuse(`it has ${layers.length} layers, the limit is ${mostLayers}`);
  for (const { mediaType } of layers) {
    if (layerCompression(mediaType) === undefined) throw refuse(`layer type "${mediaType}" is not a file system layer`);
    if (isForeignLayer(mediaType))
      throw refuse(`layer type "${mediaType}" is kept outside registries and is not fetched`);
  }
  return layers;
}
