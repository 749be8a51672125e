import { sendExportDirectory, sendExportFile } from '../api/session/send-export.ts';
import type { ExportRequest, ExportResponse, ExportServices } from './exporter.ts';
import { MountedTargets } from './mounted-targets.ts';

/** `type=local`: the result's files into the client's directory. Several platforms get a directory each. */
export async function exportLocal(services: ExportServices, request: ExportRequest): Promise<ExportResponse> {
  const session = await request.session();
  await using tree = await MountedTargets.open(services, request);
  await request.progress.step('copying files', () =>
    sendExportDirectory(session, tree.path, {
      exporter: request.index,
      multiPlatform: tree.split,
      time: tree.time,
      signal: request.signal,
    }),
  );
  return {};
}

/** `type=tar`: the same as one archive. */
export async function exportTar(services: ExportServices, request: ExportRequest): Promise<ExportResponse> {
  const session = await request.session();
  await using tree = await MountedTargets.open(services, request);
  await request.progress.step('sending tarball', () =>
    sendExportFile(session, services.archiver.write(tree.path, { time: tree.time }), {
      exporter: request.index,
      signal: request.signal,
    }),
  );
  return {};
}
