import type { ServerResponse } from 'node:http';
import { errorMessage, invalidArgument, SlipwayError } from '../base/errors.ts';
import { parseChanges } from '../image/change-config.ts';
import { imageHistory, imageSize } from '../image/describe-image.ts';
import { findImage } from '../image/find-image.ts';
import { readImage } from '../image/image-content.ts';
import { importImage } from '../image/import.ts';
import { loadImages } from '../image/load.ts';
import { pruneImages } from '../image/prune-images.ts';
import { pullImage } from '../image/pull.ts';
import { pushImage } from '../image/push.ts';
import { type ImageUser, removeImage } from '../image/remove-image.ts';
import { saveImages } from '../image/save.ts';
import type { TransferProgress } from '../image/transfer-progress.ts';
import { diffIdsOf } from '../oci/parse-image-config.ts';
import { parsePlatform } from '../oci/platform.ts';
import { familiarReference, parseReference, type Reference, withDefaultTag, withTag } from '../oci/reference.ts';
import type { EngineServices } from './engine-services.ts';
import { flagOf, JsonLines, type Request, readFilters, sendJson, sendNothing } from './http.ts';
import { filterImages, matchesLabels, timeOf } from './image-filters.ts';
import { imageSummary, secondsOf } from './image-summary.ts';
import { credentialsOf } from './registry-auth.ts';
import type { EngineRouter } from './router.ts';

export function addImageRoutes(router: EngineRouter, services: EngineServices): void {
  router.add('GET', '/images/json', ({ query }, response) => {
    const records = filterImages(services, readFilters(query)).toSorted((a, b) => b.updatedAt - a.updatedAt);
    sendJson(
      response,
      records.map((record) => imageSummary(services, record)),
    );
  });
  router.add('GET', '/images/{name*}/json', ({ parameters }, response) =>
    sendJson(response, inspectImage(services, parameters.name ?? '')),
  );
  router.add('GET', '/images/{name*}/history', ({ parameters }, response) =>
    sendJson(response, historyOf(services, parameters.name ?? '')),
  );
  router.add('POST', '/images/{name*}/tag', ({ parameters, query }, response) =>
    tagImage(services, parameters.name ?? '', query, response),
  );
  router.add('POST', '/images/{name*}/push', (request, response) => push(services, request, response));
  router.add('POST', '/images/create', (request, response) => createImage(services, request, response));
  router.add('POST', '/images/load', (request, response) => load(services, request, response));
  router.add('GET', '/images/get', ({ query, signal }, response) =>
    save(services, query.getAll('names'), signal, response),
  );
  router.add('GET', '/images/{name*}/get', ({ parameters, signal }, response) =>
    save(services, [parameters.name ?? ''], signal, response),
  );
  router.add('POST', '/images/prune', (request, response) => prune(services, request, response));
  router.add('DELETE', '/images/{name*}', async ({ parameters, query }, response) => {
    const removed = removeImage(services.images, parameters.name ?? '', {
      force: flagOf(query, 'force'),
      usersOf: usersOf(services),
    });
    await services.collect();
    sendJson(response, removed);
  });
}

function usersOf({ containers }: EngineServices): (id: string) => readonly ImageUser[] {
  return (id) =>
    containers
      .list()
      .filter((record) => record.imageId === id)
      .map(({ id: container, state }) => ({ id: container.slice(0, 12), running: state.status === 'running' }));
}

function inspectImage(services: EngineServices, name: string): object {
  const { record } = findImage(services.images, name);
  const image = readImage(services.content, record.manifest.descriptor);
  const { config } = image;
  const familiar = (names: readonly string[]) => names.map((each) => familiarReference(parseReference(each)));
  return {
    Id: record.id,
    RepoTags: familiar(record.tags),
    RepoDigests: familiar(record.digests),
    Parent: '',
    Comment: config.history?.at(-1)?.comment ?? '',
    Created: config.created ?? '',
    DockerVersion: '',
    Author: config.author ?? '',
    Config: config.config ?? {},
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: imageSize(services.snapshots, image),
    GraphDriver: { Data: null, Name: 'overlayfs' },
    RootFS: { Type: 'layers', Layers: diffIdsOf(config) },
    Metadata: { LastTagTime: new Date(record.updatedAt).toISOString() },
    Descriptor: record.target,
  };
}

function historyOf(services: EngineServices, name: string): object[] {
  const { record } = findImage(services.images, name);
  const steps = imageHistory(services.snapshots, readImage(services.content, record.manifest.descriptor));
  return steps.map((step, i) => ({
    // Only the image itself has an id that one can use.
    Id: i === 0 ? record.id : '<missing>',
    Created: secondsOf(step.created),
    CreatedBy: step.created_by ?? '',
    Tags: i === 0 ? record.tags.map((tag) => familiarReference(parseReference(tag))) : null,
    Size: step.size,
    Comment: step.comment ?? '',
  }));
}

function tagImage(services: EngineServices, name: string, query: URLSearchParams, response: ServerResponse): void {
  const repository = parseReference(query.get('repo') ?? '');
  const tag = query.get('tag');
  const reference = tag ? withTag(repository, tag) : withDefaultTag(repository);
  services.images.tag(findImage(services.images, name).record.target.digest, reference);
  sendNothing(response, 201);
}

/** The login that the client sends along, for this request alone. */
const words: Readonly<Record<TransferProgress['state'], string>> = {
  waiting: 'Waiting',
  fetching: 'Downloading',
  fetched: 'Download complete',
  exists: 'Already exists',
  unpacking: 'Extracting',
  unpacked: 'Pull complete',
  pushing: 'Pushing',
  pushed: 'Pushed',
  mounted: 'Mounted from another repository',
};

function progressTo(lines: JsonLines): (progress: TransferProgress) => void {
  return ({ digest, state, current, total }) =>
    lines.write({
      status: words[state],
      progressDetail: { ...(current === undefined ? {} : { current }), ...(total === undefined ? {} : { total }) },
      id: digest.slice(7, 19),
    });
}

async function createImage(services: EngineServices, request: Request, response: ServerResponse): Promise<void> {
  const { query } = request;
  if (query.get('fromSrc') !== null) return importFrom(services, request, response);
  const from = query.get('fromImage');
  if (from === null || from === '') throw invalidArgument('the request names no image (fromImage)');
  const tag = query.get('tag') ?? '';
  const reference = withDefaultTag(
    parseReference(tag === '' ? from : `${from}${tag.startsWith('sha256:') ? '@' : ':'}${tag}`),
  );
  const lines = new JsonLines(response);
  const platform = query.get('platform');
  const services_ = { ...services, client: services.registryFor(credentialsOf(request.message, reference.domain)) };
  lines.write({ status: `Pulling from ${reference.path}`, id: reference.tag ?? reference.digest });
  try {
    const pulled = await pullImage(services_, reference, {
      ...(platform ? { platform: parsePlatform(platform) } : {}),
      onProgress: progressTo(lines),
      signal: request.signal,
    });
    lines.write({ status: `Digest: ${pulled.image.target.digest}` });
    lines.write({
      status: `Status: ${pulled.isNew ? 'Downloaded newer image' : 'Image is up to date'} for ${familiarReference(reference)}`,
    });
    lines.end();
  } catch (error) {
    failStream(lines, error);
  }
}

/** Once the answer has begun, an error is its last line. */
function failStream(lines: JsonLines, error: unknown): void {
  const hint = error instanceof SlipwayError && error.hint !== undefined ? ` (${error.hint})` : '';
  const message = `${errorMessage(error)}${hint}`;
  lines.write({ errorDetail: { message }, error: message });
  lines.end();
}

async function importFrom(
  services: EngineServices,
  { message, query, signal }: Request,
  response: ServerResponse,
): Promise<void> {
  if (query.get('fromSrc') !== '-')
    throw new SlipwayError('unimplemented', 'importing from a URL is not supported', {
      hint: 'give the file, or - for standard input',
    });
  const repository = query.get('repo');
  const tag = query.get('tag');
  let name: Reference | undefined;
  if (repository) name = tag ? withTag(parseReference(repository), tag) : withDefaultTag(parseReference(repository));
  const platform = query.get('platform');
  const record = await importImage(services, message, {
    ...(name ? { name } : {}),
    changes: parseChanges(query.getAll('changes')),
    ...(query.get('message') ? { message: query.get('message') ?? '' } : {}),
    ...(platform ? { platform: parsePlatform(platform) } : {}),
    signal,
  });
  const lines = new JsonLines(response);
  lines.write({ status: record.id });
  lines.end();
}

async function push(
  services: EngineServices,
  { message, parameters, query, signal }: Request,
  response: ServerResponse,
): Promise<void> {
  const repository = parseReference(parameters.name ?? '');
  const tag = query.get('tag');
  const reference = tag ? withTag(repository, tag) : withDefaultTag(repository);
  const lines = new JsonLines(response);
  const client = services.registryFor(credentialsOf(message, reference.domain));
  lines.write({ status: `The push refers to repository [${reference.domain}/${reference.path}]` });
  try {
    const pushed = await pushImage({ ...services, client }, reference, { onProgress: progressTo(lines), signal });
    lines.write({ status: `${reference.tag}: digest: ${pushed.digest} size: ${pushed.size}` });
    lines.write({ progressDetail: {}, aux: { Tag: reference.tag, Digest: pushed.digest, Size: pushed.size } });
    lines.end();
  } catch (error) {
    failStream(lines, error);
  }
}

async function load(
  services: EngineServices,
  { message, query, signal }: Request,
  response: ServerResponse,
): Promise<void> {
  const platform = query.get('platform');
  const loaded = await loadImages(services, message, {
    ...(platform ? { platform: parsePlatform(platform) } : {}),
    signal,
  });
  const lines = new JsonLines(response);
  for (const { id, names } of loaded) {
    for (const name of names) lines.write({ stream: `Loaded image: ${name}\n` });
    if (names.length === 0) lines.write({ stream: `Loaded image ID: ${id}\n` });
  }
  lines.end();
}

async function save(
  services: EngineServices,
  names: readonly string[],
  signal: AbortSignal,
  response: ServerResponse,
): Promise<void> {
  if (names.length === 0) throw invalidArgument('the request names no image');
  const bytes = saveImages(services, names, { signal });
  response.writeHead(200, { 'content-type': 'application/x-tar' });
  for await (const chunk of bytes) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve).once('close', resolve));
  }
  response.end();
}

async function prune(services: EngineServices, { query }: Request, response: ServerResponse): Promise<void> {
  const filters = readFilters(query);
  const dangling = filters.get('dangling')?.[0] ?? 'true';
  const until = filters.get('until')?.[0];
  const deleted = pruneImages(services.images, {
    all: !/^(1|true)$/i.test(dangling),
    usersOf: usersOf(services),
    matches: (record) =>
      matchesLabels(services, record, filters) && (until === undefined || record.createdAt < timeOf(until)),
  });
  const { freedBytes } = await services.collect();
  sendJson(response, { ImagesDeleted: deleted, SpaceReclaimed: freedBytes });
}
