import { hostPlatform, type Platform } from '../../oci/platform.ts';

export const slipwayVersion = '0.1.0';
/** The BuildKit whose protocol and Dockerfile language this speaks. */
export const buildkitVersion = {
  package: 'slipway',
  version: 'v0.32.2',
  revision: slipwayVersion,
  dockerfileVersion: '1.26.0',
};

/** What runs here without emulation. */
export function workerPlatforms(): readonly Platform[] {
  const host = hostPlatform();
  return host.architecture === 'amd64' ? [host, { os: 'linux', architecture: '386' }] : [host];
}

export function platformMessage({ os, architecture, variant }: Platform) {
  return { OS: os, Architecture: architecture, Variant: variant ?? '' };
}

export interface WorkerIdentity {
  readonly id: string;
  /** Beside those that say how it works. */
  readonly labels: Readonly<Record<string, string>>;
}

export function workerRecord({ id, labels }: WorkerIdentity) {
  return {
    ID: id,
    Labels: {
      'org.mobyproject.buildkit.worker.executor': 'oci',
      'org.mobyproject.buildkit.worker.snapshotter': 'overlayfs',
      'org.mobyproject.buildkit.worker.oci.process-mode': 'sandbox',
      'org.mobyproject.buildkit.worker.network': 'host',
      ...labels,
    },
    platforms: workerPlatforms().map(platformMessage),
    BuildkitVersion: buildkitVersion,
  };
}
