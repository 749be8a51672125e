import type { Digest } from '../base/digest.ts';

/** What one vertex makes; the solver only holds and releases it. `T` is the worker's ref (a stack of layers). */
export interface Handle<T> {
  readonly value: T;
  /** Another hold on the same thing. */
  clone(): Handle<T>;
  release(): void;
}

/** How an input takes part in a cache key. */
export interface InputKeying<T> {
  /** The part of the input that counts; in the key beside the input's own key. */
  readonly selector?: string;
  /** Computes the content key of this input's result; absent when only the definition counts. */
  readonly contentKey?: (input: T, context: OpContext) => Promise<Digest>;
}

/** How an op is keyed: the digest of itself, and a keying per input, in order. */
export interface CacheMap<T> {
  readonly digest: Digest;
  readonly inputs: readonly InputKeying<T>[];
  /** False for what must never be answered from the cache across builds (for example a host directory). */
  readonly cacheable?: boolean;
  /** What was found out for the digest, for those who explain builds: `manifest`, `commit`, `checksum`. */
  readonly facts?: Readonly<Record<string, string>>;
}

/** What an op may use while it is keyed or run. Progress is tied to its vertex. */
export interface OpContext {
  readonly signal: AbortSignal;
  /** Sessions of the builds that wait for this vertex, the first that still lives first. */
  readonly sessions: () => readonly string[];
  log(stream: 1 | 2, bytes: Uint8Array): void;
  /** A line of transfer progress: bytes so far of the total, if known. */
  status(
    id: string,
    progress: { readonly current: number; readonly total?: number; readonly completed?: boolean },
  ): void;
  /** Work that began after the vertex had ended, and showed a status, is over: what it made was fetched only when needed. */
  settled(): void;
  warn(message: string): void;
}

/** One vertex's work: made from LLB by the worker. Its methods may be called again after a failure. */
export interface Op<T> {
  cacheMap(context: OpContext): Promise<CacheMap<T>>;
  /** Waits for what inputs bring only when they are needed, so that this is not shown as the op's own time. */
  awaitInputs?(inputs: readonly T[], context: OpContext): Promise<void>;
  /** Makes the outputs; the caller owns the handles. */
  run(inputs: readonly T[], context: OpContext): Promise<readonly Handle<T>[]>;
}
