import { digestOf } from '../base/digest.ts';
import { notFound } from '../base/errors.ts';
import type { Edge } from '../graph/vertex.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import type { FrontendGateway, FrontendWarning, ImageConfigRequest } from './frontend.ts';

/** A builder that has files and images but runs nothing. */
export interface FakeBuilder {
  /** Whatever is asked for is read from here, by its path. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Image configs by the last word of the image's name. */
  readonly images?: Readonly<Record<string, object>>;
  /** When files were changed, by their paths; `/` is the newest of all. */
  readonly times?: Readonly<Record<string, number>>;
  /** Called with each question. */
  readonly asked?: (question: string) => void;
}

export const busybox = {
  architecture: 'amd64',
  os: 'linux',
  created: '2024-01-01T00:00:00Z',
  config: { Env: ['PATH=/bin:/usr/bin', 'FOO=base'], Cmd: ['sh'] },
  rootfs: { type: 'layers', diff_ids: [`sha256:${'1'.repeat(64)}`] },
  history: [{ created: '2024-01-01T00:00:00Z', created_by: 'ADD busybox' }],
};

export function fakeGateway({ files = {}, images = { busybox }, times = {}, asked }: FakeBuilder): FrontendGateway & {
  readonly warnings: readonly FrontendWarning[];
} {
  const warnings: FrontendWarning[] = [];
  return {
    warnings,
    sessionId: 'session',
    workerPlatforms: [{ os: 'linux', architecture: 'amd64' }],
    async readFile(_edge: Edge, path: string) {
      asked?.(`read ${path}`);
      const content = files[path];
      return typeof content === 'string' ? Buffer.from(content) : content;
    },
    async readDirectory() {
      return Object.keys(files);
    },
    fileTime: async (_edge, path) => times[path],
    latestTime: async () => times['/'],
    async resolveImageConfig(reference: string, { platform }: ImageConfigRequest) {
      asked?.(`resolve ${reference} for ${platform.os}/${platform.architecture}`);
      const name = /([^/:@]+)(?::[^/@]*)?(?:@.*)?$/.exec(reference)?.[1] ?? '';
      const image = images[name];
      if (!image) throw notFound(`${reference}: not found`);
      const config = Buffer.from(JSON.stringify(image));
      return { reference: formatReference(parseReference(reference)), digest: digestOf(config), config };
    },
    warn: (warning) => warnings.push(warning),
  };
}
