import type { ServerResponse } from 'node:http';
import { invalidArgument } from '../base/errors.ts';
import type { ChangeKind, PathStat } from '../container/files/files-job.ts';
import type { EngineServices } from './engine-services.ts';
import { flagOf, type Request, sendBytes, sendJson, sendNothing } from './http.ts';
import type { EngineRouter } from './router.ts';

type Services = Pick<EngineServices, 'containers' | 'files'>;

const kinds: Readonly<Record<ChangeKind, number>> = { modified: 0, added: 1, deleted: 2 };

/** Files of containers: `cp`, `export`, `diff`. */
export function addArchiveRoutes(router: EngineRouter, { containers, files }: Services): void {
  const route = '/containers/{id}/archive';
  router.add('HEAD', route, async (request, response) => {
    const stat = await files.stat(containers.find(request.parameters.id ?? ''), pathIn(request));
    response.setHeader('x-docker-container-path-stat', statHeader(stat));
    sendNothing(response, 200);
  });
  router.add('GET', route, async (request, response) => {
    const { stat, tar } = await files.read(containers.find(request.parameters.id ?? ''), pathIn(request));
    response.setHeader('x-docker-container-path-stat', statHeader(stat));
    await sendBytes(response, tar, 'application/x-tar');
  });
  router.add('PUT', route, (request, response) => put({ containers, files }, request, response));
  router.add('GET', '/containers/{id}/export', async ({ parameters }, response) => {
    const record = containers.find(parameters.id ?? '');
    await sendBytes(response, files.export(record), 'application/octet-stream');
    containers.tell(record, 'export');
  });
  router.add('GET', '/containers/{id}/changes', async ({ parameters }, response) => {
    const changes = await files.changes(containers.find(parameters.id ?? ''));
    const rows = changes.map(({ path, kind }) => ({ Path: path, Kind: kinds[kind] }));
    sendJson(response, rows.length > 0 ? rows : null);
  });
}

async function put({ containers, files }: Services, request: Request, response: ServerResponse): Promise<void> {
  const { parameters, query, message } = request;
  const options = { keepKinds: flagOf(query, 'noOverwriteDirNonDir'), asContainersUser: flagOf(query, 'copyUIDGID') };
  const record = containers.find(parameters.id ?? '');
  await files.write(record, pathIn(request), message, options);
  containers.tell(record, 'extract-to-dir');
  sendNothing(response, 200);
}

function pathIn({ query }: Request): string {
  const path = query.get('path');
  if (path === null || path === '') throw invalidArgument('bad parameter: "path": cannot be empty');
  if (path.includes('\0')) throw invalidArgument('bad parameter: "path": it contains a NUL byte');
  return path;
}

function statHeader({ name, size, mode, mtime, linkTarget }: PathStat): string {
  return Buffer.from(JSON.stringify({ name, size, mode, mtime, linkTarget })).toString('base64');
}
