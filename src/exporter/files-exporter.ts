import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sendExportDirectory, sendExportFile } from '../api/session/send-export.ts';
import { mountAll, unmount } from '../kernel/mounting.ts';
import { formatPlatformInFull } from '../oci/platform.ts';
import { epochOf, flag } from './export-attrs.ts';
import type { ExportRequest, ExportResponse, ExportServices, ExportTarget } from './exporter.ts';

/** `type=local`: the result's files into the client's directory. Several platforms get a directory each. */
export async function exportLocal(services: ExportServices, request: ExportRequest): Promise<ExportResponse> {
  const session = await request.session();
  using tree = mountTargets(services, request);
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
  using tree = mountTargets(services, request);
  await request.progress.step('sending tarball', () =>
    sendExportFile(session, services.archiver.write(tree.path, { time: tree.time }), {
      exporter: request.index,
      signal: request.signal,
    }),
  );
  return {};
}

interface MountedTargets extends Disposable {
  readonly path: string;
  readonly split: boolean;
  /** All files' time, for SOURCE_DATE_EPOCH. Nanoseconds since 1970. */
  readonly time: bigint | undefined;
}

function mountTargets({ snapshots, runDirectory }: ExportServices, { targets, attrs }: ExportRequest): MountedTargets {
  const split = flag(attrs, 'platform-split', targets.length > 1);
  const path = mkdtempSync(join(runDirectory, 'export-'));
  const mounted: string[] = [];
  const end = () => {
    for (const each of mounted.reverse()) unmount(each);
    rmSync(path, { recursive: true, force: true });
  };
  try {
    for (const target of targets) {
      const place = split ? join(path, directoryName(target)) : path;
      mkdirSync(place, { recursive: true });
      mountAll(snapshots.viewMounts(target.stack), place);
      mounted.push(place);
    }
  } catch (error) {
    end();
    throw error;
  }
  const epoch = epochOf(attrs, targets[0]?.epoch);
  const time = epoch === undefined ? undefined : BigInt(epoch) * 1_000_000_000n;
  return { path, split, time, [Symbol.dispose]: end };
}

/** `linux/arm/v7` → `linux_arm_v7`, as the result's platforms are named. */
function directoryName({ platform }: ExportTarget): string {
  return formatPlatformInFull(platform).replaceAll('/', '_');
}
