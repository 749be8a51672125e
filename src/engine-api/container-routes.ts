import type { ServerResponse } from 'node:http';
import { invalidArgument } from '../base/errors.ts';
import { containerFilter } from '../container/container-filters.ts';
import type { ContainerConfig, ContainerRecord, HostConfig } from '../container/container-record.ts';
import type { Containers } from '../container/containers.ts';
import { directorySize } from '../container/directory-size.ts';
import { containerSummary, inspectContainer } from '../container/inspect-container.ts';
import { findImage } from '../image/find-image.ts';
import type { ActiveId } from '../snapshot/snapshots.ts';
import { attachRequestBody } from './attach.ts';
import type { EngineServices } from './engine-services.ts';
import { flagOf, numberOf, type Request, readFilters, readJson, sendJson, sendNothing } from './http.ts';
import { timeOf } from './image-filters.ts';
import type { EngineRouter } from './router.ts';

type Services = Pick<EngineServices, 'containers' | 'images' | 'snapshots'>;

export function addContainerRoutes(router: EngineRouter, services: Services): void {
  const { containers } = services;
  router.add('POST', '/containers/create', (request, response) => create(containers, request, response));
  router.add('GET', '/containers/json', (request, response) => list(services, request, response));
  router.add('POST', '/containers/prune', (request, response) => prune(services, request, response));
  router.add('GET', '/containers/{id}/json', async ({ parameters, query }, response) => {
    const record = containers.find(parameters.id ?? '');
    const sizes = flagOf(query, 'size') ? await sizesOf(services, record) : {};
    sendJson(response, { ...inspectContainer(record, containers.logPath(record.id)), ...sizes });
  });
  router.add('DELETE', '/containers/{id}', async ({ parameters, query }, response) => {
    await containers.remove(parameters.id ?? '', { force: flagOf(query, 'force'), volumes: flagOf(query, 'v') });
    sendNothing(response);
  });
  addLifecycleRoutes(router, containers);
  addStreamRoutes(router, containers);
}

function addLifecycleRoutes(router: EngineRouter, containers: Containers): void {
  router.add('POST', '/containers/{id}/start', async ({ parameters }, response) =>
    sendNothing(response, (await containers.start(parameters.id ?? '')) ? 204 : 304),
  );
  router.add('POST', '/containers/{id}/stop', async ({ parameters, query }, response) =>
    sendNothing(response, (await containers.stop(parameters.id ?? '', stopOptions(query))) ? 204 : 304),
  );
  router.add('POST', '/containers/{id}/restart', async ({ parameters, query }, response) => {
    await containers.restart(parameters.id ?? '', stopOptions(query));
    sendNothing(response);
  });
  router.add('POST', '/containers/{id}/kill', async ({ parameters, query }, response) => {
    await containers.kill(parameters.id ?? '', query.get('signal') || 'SIGKILL');
    sendNothing(response);
  });
  router.add('POST', '/containers/{id}/rename', ({ parameters, query }, response) => {
    containers.rename(parameters.id ?? '', query.get('name') ?? '');
    sendNothing(response);
  });
}

function addStreamRoutes(router: EngineRouter, containers: Containers): void {
  router.add('POST', '/containers/{id}/attach', (request, response) =>
    attachRequestBody(containers, request, response),
  );
  router.add('POST', '/containers/{id}/wait', (request, response) => wait(containers, request, response));
  router.add('POST', '/containers/{id}/resize', ({ parameters, query }, response) => {
    const [rows, columns] = [numberOf(query, 'h') ?? 0, numberOf(query, 'w') ?? 0];
    if (rows < 0 || rows > 65_535 || columns < 0 || columns > 65_535)
      throw invalidArgument(`invalid terminal size ${rows}x${columns}`);
    containers.resize(parameters.id ?? '', rows, columns);
    sendNothing(response, 200);
  });
}

function stopOptions(query: URLSearchParams): { seconds: number | undefined; signal: string | undefined } {
  return { seconds: numberOf(query, 't'), signal: query.get('signal') || undefined };
}

async function create(containers: Containers, { message, query }: Request, response: ServerResponse): Promise<void> {
  const { HostConfig: hostConfig, NetworkingConfig: _, ...config } = await readJson(message);
  const record = await containers.create({
    name: query.get('name')?.replace(/^\//, '') || undefined,
    config: config as ContainerConfig,
    hostConfig: (hostConfig ?? {}) as HostConfig,
  });
  sendJson(response, { Id: record.id, Warnings: [] }, 201);
}

async function list(services: Services, { query }: Request, response: ServerResponse): Promise<void> {
  const filters = readFilters(query);
  const limit = numberOf(query, 'limit') ?? 0;
  const all =
    flagOf(query, 'all') || limit > 0 || ['status', 'exited', 'before', 'since'].some((key) => filters.has(key));
  const matches = containerFilter(filters, filterContext(services));
  const found = services.containers
    .list()
    .filter((record) => (all || record.state.status === 'running') && matches(record));
  const shown = limit > 0 ? found.slice(0, limit) : found;
  const withSize = flagOf(query, 'size');
  const rows = shown.map(async (record) => ({
    ...containerSummary(record, imageNameOf(services, record)),
    ...(withSize ? await sizesOf(services, record) : {}),
  }));
  sendJson(response, await Promise.all(rows));
}

/** The name by which the container was made, as long as it means the same image. */
function imageNameOf(services: Services, { image, imageId }: ContainerRecord): string {
  return imageIdOf(services, image) === imageId ? image : imageId;
}

function imageIdOf({ images }: Services, name: string): string | undefined {
  try {
    return findImage(images, name).record.id;
  } catch {
    return undefined;
  }
}

function filterContext(services: Services) {
  return {
    find: (text: string) => services.containers.find(text),
    imageIdOf: (name: string) => imageIdOf(services, name),
  };
}

async function sizesOf(
  { snapshots }: Services,
  { layer }: ContainerRecord,
): Promise<{ SizeRw: number; SizeRootFs: number }> {
  const own = await directorySize(snapshots.activeDirectory(layer as ActiveId));
  const below = snapshots.activeStack(layer as ActiveId).reduce((sum, each) => sum + snapshots.info(each).size, 0);
  return { SizeRw: own, SizeRootFs: own + below };
}

async function prune(services: Services, { query }: Request, response: ServerResponse): Promise<void> {
  const { containers } = services;
  const filters = readFilters(query);
  const until = filters.get('until')?.map(timeOf);
  const matches = containerFilter(filters, filterContext(services));
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const record of containers.list()) {
    const old = until?.every((time) => Date.parse(record.created) < time) ?? true;
    if (record.state.status === 'running' || !old || !matches(record)) continue;
    const { SizeRw: size } = await sizesOf(services, record);
    await containers.remove(record.id);
    deleted.push(record.id);
    reclaimed += size;
  }
  sendJson(response, { ContainersDeleted: deleted, SpaceReclaimed: reclaimed });
}

async function wait(containers: Containers, request: Request, response: ServerResponse): Promise<void> {
  const { parameters, query, signal } = request;
  const condition = query.get('condition') || 'not-running';
  if (condition !== 'not-running' && condition !== 'next-exit' && condition !== 'removed')
    throw invalidArgument(`invalid condition: "${condition}"`);
  const waiting = containers.wait(parameters.id ?? '', condition, signal);
  // The client starts the container once it sees that somebody waits.
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  try {
    const { status, exitCode, error } = await waiting;
    // Why it did not start is the answer to the start.
    const failure = status === 'exited' && error !== '' ? { Error: { Message: error } } : {};
    response.end(`${JSON.stringify({ StatusCode: exitCode, ...failure })}\n`);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
