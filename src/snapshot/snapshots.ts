import type { Digest } from '../base/digest.ts';
import type { Mount } from '../kernel/mount.ts';

/** Names one committed layer on disk; short, chosen by the store, never reused. */
export type LayerId = string & { readonly __brand: 'LayerId' };

/** Names one active (writable) layer. */
export type ActiveId = string & { readonly __brand: 'ActiveId' };

/**
 * A file system state: committed layers from bottom to top. The empty stack is `scratch`. Stacks are plain values: what
 * BuildKit calls merge is concatenation, and the diff of a state and its ancestor is the rest of the list.
 */
export type Stack = readonly LayerId[];

/** What is known of a committed layer. A layer's changes are always relative to the layers below it in its stack. */
export interface LayerInfo {
  readonly id: LayerId;
  /** Digest of the layer's uncompressed tar, once somebody computed it. */
  readonly diffId: Digest | undefined;
  /** Size in bytes of that tar, known together with diffId. */
  readonly tarSize: number | undefined;
  /** Bytes that the layer's files take on disk. */
  readonly size: number;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly usageCount: number;
}

/**
 * Keeps file system layers. Life of a layer: `prepare` makes an empty active layer over a stack, somebody writes through its
 * mounts, `commit` freezes it: from then on it is immutable and may stand in any stack. What is not committed is dropped
 * when the store is next opened. Metadata calls are synchronous: each is one transaction and at most a few system calls.
 *
 * Layers are held by leases (see `hold`) or roots that the owner of the store names at collection; a layer that is
 * held is never removed.
 */
export interface Snapshots {
  /**
   * Makes an empty writable layer over the stack. Throws not-found when the stack names a missing layer. A persistent one
   * (a container's) is kept, with its stack, until it is discarded or committed, across restarts.
   */
  prepare(stack: Stack, options?: { readonly persistent?: boolean }): ActiveId;
  /** What an active layer stands on. */
  activeStack(id: ActiveId): Stack;
  /** The mounts that show an active layer read-write; apply them in order to one target. */
  activeMounts(id: ActiveId): readonly Mount[];
  /** The mounts that show an active layer read-only, also while it is mounted elsewhere: what is written later need not show. */
  activeViewMounts(id: ActiveId): readonly Mount[];
  /** The mounts that show a stack read-only. A one-layer stack is a bind mount; the empty one an empty directory. */
  viewMounts(stack: Stack): readonly Mount[];
  /** The directory of an active layer's own files, in overlayfs's form (whiteouts are char devices 0:0). */
  activeDirectory(id: ActiveId): string;
  /** Likewise for a committed layer. */
  layerDirectory(id: LayerId): string;
  /**
   * Freezes the layer; visible when this returns, and safe from the death of this process. The active id is gone afterwards. Safe
   * from a crash of the machine after `sync`, or some seconds later; a layer that a crash may have hurt is dropped at the next start.
   */
  commit(id: ActiveId, options?: { readonly diffId?: Digest; readonly tarSize?: number }): LayerId;
  /** Drops an active layer and its files; no error when it is gone. */
  discard(id: ActiveId): void;
  /** Throws not-found. */
  info(id: LayerId): LayerInfo;
  has(id: LayerId): boolean;
  list(): readonly LayerInfo[];
  /** Remembers what the layer's tar came to, so that it is computed once. */
  setDiffId(id: LayerId, diffId: Digest, tarSize: number): void;
  /** The stack that was unpacked for this chain of diffIDs, if there is one (image-spec, config.md#layer-chainid). */
  findChain(chainId: Digest): Stack | undefined;
  /** Remembers the stack under the chainID of its diffIDs. */
  setChain(chainId: Digest, stack: Stack): void;
  /** Holds the layers against collection until the answer is disposed. Held in memory only: a lease dies with the daemon. */
  hold(stack: Stack): Disposable;
  /** Marks use for the least-recently-used order of collection. */
  touch(stack: Stack): void;
  /** Removes the layers that are neither held nor kept, files included; answers what was freed. */
  collect(keep: ReadonlySet<LayerId>): Promise<readonly LayerInfo[]>;
  /** Waits until all committed layers are on the disk: before something that names them is reported as done. */
  sync(): Promise<void>;
  close(): void;
}
