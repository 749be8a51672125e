import type { Containers } from '../container/containers.ts';
import type { Execs } from '../container/execs.ts';
import type { ContainerFiles } from '../container/files/container-files.ts';
import type { ContentStore } from '../content/content-store.ts';
import type { ImageStore } from '../image/image-store.ts';
import type { LayerArchiver } from '../image/layer-archiver.ts';
import type { LayerBlobs } from '../image/materialize-layers.ts';
import type { Unpacker } from '../image/unpack.ts';
import type { CredentialSource } from '../registry/credentials.ts';
import type { RegistryClient } from '../registry/registry-client.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';

/** One entry of the build cache, as `system df` counts it. */
export interface CacheEntry {
  readonly id: string;
  readonly type: string;
  readonly description: string;
  readonly size: number;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly usageCount: number;
  readonly inUse: boolean;
  readonly shared: boolean;
}

/** What the API needs of the daemon. */
export interface EngineServices {
  readonly images: ImageStore;
  readonly content: ContentStore;
  readonly snapshots: Snapshots;
  readonly layerBlobs: LayerBlobs;
  readonly unpacker: Unpacker;
  readonly archiver: LayerArchiver;
  readonly containers: Containers;
  readonly execs: Execs;
  readonly files: ContainerFiles;
  registryFor(credentials: CredentialSource): RegistryClient;
  readonly buildCache: {
    list(): readonly CacheEntry[];
    prune(options: {
      readonly all: boolean;
      readonly olderThanMs: number;
      readonly keepBytes: number;
      readonly filters: readonly string[];
    }): Promise<readonly CacheEntry[]>;
  };
  /** Frees what no image, container or record needs any more. */
  collect(): Promise<{ readonly freedBytes: number }>;
  readonly info: EngineInfo;
}

export interface EngineInfo {
  readonly version: string;
  readonly root: string;
  readonly runtime: {
    readonly name: string;
    readonly version: string;
    readonly reason: string;
    readonly warnings: readonly string[];
  };
}
