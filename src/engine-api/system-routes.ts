import { readFileSync } from 'node:fs';
import { arch, cpus, hostname, release, totalmem } from 'node:os';
import { directorySize } from '../container/directory-size.ts';
import { containerSummary } from '../container/inspect-container.ts';
import { readImage } from '../image/image-content.ts';
import { layerUsage } from '../image/layer-usage.ts';
import type { ActiveId } from '../snapshot/snapshots.ts';
import type { EngineServices } from './engine-services.ts';
import { flagOf, readFilters, sendJson } from './http.ts';
import { imageSummary } from './image-summary.ts';
import { type EngineRouter, newestVersion, oldestVersion } from './router.ts';
import { volumeJson } from './volume-routes.ts';

export function addSystemRoutes(router: EngineRouter, services: EngineServices): void {
  const { info } = services;
  for (const method of ['GET', 'HEAD']) {
    router.add(method, '/_ping', (_request, response) => {
      response.writeHead(200, {
        'api-version': newestVersion,
        'builder-version': '2',
        'docker-experimental': 'false',
        'cache-control': 'no-cache, no-store, must-revalidate',
        ostype: 'linux',
        swarm: 'inactive',
        server: `Slipway/${info.version} (linux)`,
        'content-type': 'text/plain; charset=utf-8',
      });
      response.end(method === 'GET' ? 'OK' : undefined);
    });
  }
  router.add('GET', '/version', (_request, response) => {
    const details = {
      ApiVersion: newestVersion,
      MinAPIVersion: oldestVersion,
      Os: 'linux',
      Arch: goArchitecture(),
      KernelVersion: release(),
      Experimental: 'false',
      GitCommit: '',
      BuildTime: '',
    };
    sendJson(response, {
      Platform: { Name: 'Slipway' },
      Components: [
        { Name: 'Engine', Version: info.version, Details: details },
        { Name: info.runtime.name, Version: info.runtime.version, Details: {} },
      ],
      Version: info.version,
      ...details,
      Experimental: false,
    });
  });
  router.add('GET', '/info', (_request, response) => sendJson(response, systemInfo(services)));
  router.add('GET', '/system/df', async (_request, response) => sendJson(response, await diskUsage(services)));
  // There is nothing to prune while containers use the host's network: docker system prune asks all the same.
  router.add('POST', '/networks/prune', (_request, response) => sendJson(response, { NetworksDeleted: null }));
  router.add('POST', '/build/prune', async ({ query }, response) => {
    const filters = readFilters(query);
    const until = filters.get('until')?.[0];
    const removed = await services.buildCache.prune({
      all: flagOf(query, 'all'),
      olderThanMs: until === undefined ? 0 : durationOf(until),
      keepBytes: Number(query.get('max-used-space') ?? query.get('keep-storage') ?? query.get('reserved-space') ?? 0),
      filters: [...filters].flatMap(([key, values]) =>
        key === 'until' ? [] : values.map((value) => `${key}=${value}`),
      ),
    });
    sendJson(response, {
      CachesDeleted: removed.map(({ id }) => id),
      SpaceReclaimed: removed.reduce((sum, { size }) => sum + size, 0),
    });
  });
}

function durationOf(text: string): number {
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000 };
  return [...text.matchAll(/(\d+(?:\.\d+)?)(h|m|s)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0),
    0,
  );
}

export function goArchitecture(): string {
  return arch() === 'x64' ? 'amd64' : arch();
}

function systemInfo({ info, images, containers }: EngineServices): object {
  const all = containers.list();
  const running = all.filter(({ state }) => state.status === 'running').length;
  return {
    ID: hostname(),
    Containers: all.length,
    ContainersRunning: running,
    ContainersPaused: 0,
    ContainersStopped: all.length - running,
    Images: images.list().length,
    Driver: 'overlayfs',
    DriverStatus: [['Backing Filesystem', 'overlayfs']],
    Plugins: { Volume: ['local'], Network: ['host', 'null'], Authorization: null, Log: ['json-file'] },
    MemoryLimit: true,
    SwapLimit: true,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    PidsLimit: true,
    IPv4Forwarding: true,
    Debug: false,
    LoggingDriver: 'json-file',
    CgroupDriver: 'cgroupfs',
    KernelVersion: release(),
    OperatingSystem: operatingSystem(),
    OSType: 'linux',
    Architecture: arch() === 'x64' ? 'x86_64' : arch(),
    NCPU: cpus().length,
    MemTotal: totalmem(),
    DockerRootDir: info.root,
    Name: hostname(),
    ServerVersion: info.version,
    Runtimes: { [info.runtime.name]: { path: info.runtime.name } },
    DefaultRuntime: info.runtime.name,
    Swarm: { LocalNodeState: 'inactive' },
    SecurityOptions: ['name=seccomp,profile=builtin'],
    Warnings: [
      `runtime: ${info.runtime.name} ${info.runtime.version} was chosen: ${info.runtime.reason}`,
      ...info.runtime.warnings,
    ],
  };
}

function operatingSystem(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  } catch {
    return 'Linux';
  }
}

/** The lists that API versions before 1.52 have. */
async function diskUsage(services: EngineServices): Promise<object> {
  const { images, containers, buildCache, snapshots, content } = services;
  const users = Map.groupBy(containers.list(), (record) => record.imageId);
  const records = images.list();
  const usage = layerUsage(
    snapshots,
    records.map(({ manifests }) => manifests.map(({ descriptor }) => readImage(content, descriptor))),
  );
  return {
    LayersSize: usage.total,
    Images: records.map((record, index) => ({
      ...imageSummary(services, record),
      SharedSize: usage.shared[index] ?? 0,
      Containers: users.get(record.id)?.length ?? 0,
    })),
    Containers: await Promise.all(
      containers.list().map(async (record) => ({
        ...containerSummary(record, record.image),
        SizeRw: await directorySize(snapshots.activeDirectory(record.layer as ActiveId)),
      })),
    ),
    Volumes: await Promise.all(
      containers.volumes.list().map(async (volume) => {
        const [Size, RefCount] = [await directorySize(volume.path), containers.usersOf(volume.name).length];
        return volumeJson(volume, { Size, RefCount });
      }),
    ),
    BuildCache: buildCache.list().map((entry) => ({
      ID: entry.id,
      Type: entry.type,
      Description: entry.description,
      InUse: entry.inUse,
      Shared: entry.shared,
      Size: entry.size,
      CreatedAt: new Date(entry.createdAt).toISOString(),
      LastUsedAt: new Date(entry.lastUsedAt).toISOString(),
      UsageCount: entry.usageCount,
    })),
  };
}
