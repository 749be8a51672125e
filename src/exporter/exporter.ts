import type { Session } from '../api/session/session.ts';
import type { Attestation } from '../attestation/statement.ts';
import type { ContentStore } from '../content/content-store.ts';
import type { ImageStore } from '../image/image-store.ts';
import type { LayerArchiver } from '../image/layer-archiver.ts';
import type { LayerBlobs } from '../image/materialize-layers.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import type { Platform } from '../oci/platform.ts';
import type { RegistryClient } from '../registry/registry-client.ts';
import type { BulkPool } from '../snapshot/bulk-pool.ts';
import type { Snapshots, Stack } from '../snapshot/snapshots.ts';

/** One platform's result, ready to leave. */
export interface ExportTarget {
  /** Empty for the only one of a build. */
  readonly platformId: string;
  readonly platform: Platform;
  readonly stack: Stack;
  /** Absent when the build was not of an image (raw LLB). */
  readonly config: ImageConfig | undefined;
  /** So many of the lowest layers are the base image's, which keep their digests. */
  readonly baseLayers: number;
  /** SOURCE_DATE_EPOCH as the frontend has it. Seconds since 1970. */
  readonly epoch: number | undefined;
  /** What is said of it. */
  readonly attestations: readonly Attestation[];
}

export interface ExportServices {
  readonly snapshots: Snapshots;
  readonly content: ContentStore;
  readonly bulk: BulkPool;
  readonly archiver: LayerArchiver;
  readonly images: ImageStore;
  readonly layerBlobs: LayerBlobs;
  /** A place for short-lived mounts and files. */
  readonly runDirectory: string;
}

/** What an export shows while it works: steps under one vertex. */
export interface ExportProgress {
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
}

export interface ExportRequest {
  readonly targets: readonly ExportTarget[];
  readonly attrs: ReadonlyMap<string, string>;
  /** Position among the request's exporters, by which the client knows its target. */
  readonly index: number;
  /** The client's session, for what is sent back. Throws when there is none. */
  session(): Promise<Session>;
  readonly registry: RegistryClient;
  readonly progress: ExportProgress;
  readonly signal: AbortSignal;
}

/** What the client is told, such as `containerimage.digest`. */
export type ExportResponse = Readonly<Record<string, string>>;
