import { invalidArgument } from '../base/errors.ts';
import { exportArchive } from './archive-exporter.ts';
import type { ExportRequest, ExportResponse, ExportServices } from './exporter.ts';
import { exportLocal, exportTar } from './files-exporter.ts';
import { exportImage } from './image-exporter.ts';

/** Sends a result where one `--output` wants it. */
export function exportResult(services: ExportServices, type: string, request: ExportRequest): Promise<ExportResponse> {
  switch (type) {
    case 'image':
    case 'moby':
      return exportImage(services, request);
    case 'registry':
      return exportImage(services, { ...request, attrs: new Map([...request.attrs, ['push', 'true']]) });
    case 'oci':
    case 'docker':
      return exportArchive(services, request, type);
    case 'local':
      return exportLocal(services, request);
    case 'tar':
      return exportTar(services, request);
    case 'cacheonly':
      return Promise.resolve({});
    default:
      throw invalidArgument(`cannot export as ${JSON.stringify(type)}`, {
        hint: 'want image, registry, oci, docker, local, tar or cacheonly',
      });
  }
}
