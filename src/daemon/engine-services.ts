import { Containers } from '../container/containers.ts';
import { Execs } from '../container/execs.ts';
import { ContainerFiles } from '../container/files/container-files.ts';
import { DaemonProcesses } from '../container/process-host.ts';
import type { EngineServices } from '../engine-api/engine-services.ts';
import { findImage } from '../image/find-image.ts';
import { readImage } from '../image/image-content.ts';
import { RegistryClient } from '../registry/registry-client.ts';
import type { Collector } from './collector.ts';
import type { BuildCache } from './control/build-cache.ts';
import { slipwayVersion } from './control/worker-record.ts';
import type { Engine } from './engine.ts';

/** What the Engine API needs, over this daemon's engine. */
export function composeEngineServices(
  engine: Engine,
  containers: Containers,
  collector: Collector,
  buildCache: BuildCache,
): EngineServices {
  const { binary: _, ...runtime } = engine.runtime.describe();
  return {
    images: engine.images,
    content: engine.content,
    snapshots: engine.snapshots,
    layerBlobs: engine.layerBlobs,
    unpacker: engine.unpacker,
    archiver: engine.archiver,
    containers,
    execs: new Execs(containers, new DaemonProcesses(engine.runtime)),
    files: new ContainerFiles(engine),
    registryFor: (credentials) =>
      new RegistryClient({ hosts: engine.registryHosts, transport: engine.transport, credentials }),
    buildCache,
    collect: () => collector.collect(),
    info: { version: slipwayVersion, root: engine.root, runtime: { name: engine.runtime.name, ...runtime } },
  };
}

export function openContainers(engine: Engine): Containers {
  return new Containers({
    root: engine.root,
    database: engine.database,
    snapshots: engine.snapshots,
    bulk: engine.bulk,
    processes: new DaemonProcesses(engine.runtime),
    resolveImage: async (name) => {
      const { record } = findImage(engine.images, name);
      const image = readImage(engine.content, record.manifest.descriptor);
      using unpacked = await engine.unpacker.ensureUnpacked(image);
      return { id: record.id, config: image.config, stack: unpacked.stack };
    },
  });
}
