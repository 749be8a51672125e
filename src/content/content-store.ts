import type { Digest } from '../base/digest.ts';

export interface BlobInfo {
  readonly digest: Digest;
  readonly size: number;
}

/**
 * Blobs by digest, on disk in the form of an OCI image layout (`oci-layout`, `index.json`, `blobs/sha256/…`). A blob is there whole or not at
 * all: it is written aside, its digest and size are checked, fsynced and renamed.
 */
export interface ContentStore {
  /** Size of a blob, or undefined when it is not there. */
  stat(digest: Digest): BlobInfo | undefined;
  /** Reads from `offset`, verifying the digest when the whole blob is read. Throws not-found, data-loss. */
  read(
    digest: Digest,
    options?: { readonly offset?: number; readonly signal?: AbortSignal },
  ): AsyncIterable<Uint8Array>;
  /** A whole small blob (manifests, configs), verified. Throws resource-exhausted past `limit` (default 8 MiB). */
  readSmall(digest: Digest, limit?: number): Uint8Array;
  /** Stores bytes under their digest; when `expected` is given a mismatch throws data-loss and stores nothing. Idempotent. */
  write(
    bytes: AsyncIterable<Uint8Array>,
    options?: {
      readonly expected?: { readonly digest: Digest; readonly size?: number };
      readonly signal?: AbortSignal;
    },
  ): Promise<BlobInfo>;
  /** The same for bytes at hand. */
  writeSmall(bytes: Uint8Array | string): BlobInfo;
  /** Where a committed blob lies; only to be opened for reading. */
  path(digest: Digest): string;
  remove(digest: Digest): void;
  list(): readonly BlobInfo[];
  /** Holds blobs against collection until disposed. */
  hold(digests: Iterable<Digest>): Disposable;
  /** Removes blobs that are neither held nor kept nor younger than `graceMs` (default 0); answers what was freed. */
  collect(keep: ReadonlySet<Digest>, options?: { readonly graceMs?: number }): readonly BlobInfo[];
}
