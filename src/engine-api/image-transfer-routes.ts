import type { ServerResponse } from 'node:http';
import { errorMessage, invalidArgument, notFound, SlipwayError } from '../base/errors.ts';
import { parseChanges } from '../image/change-config.ts';
import { importImage } from '../image/import.ts';
import { loadImages } from '../image/load.ts';
import { pullImage } from '../image/pull.ts';
import { pushImage } from '../image/push.ts';
import { saveImages } from '../image/save.ts';
import type { TransferProgress } from '../image/transfer-progress.ts';
import { parsePlatform } from '../oci/platform.ts';
import { familiarReference, parseReference, type Reference, withDefaultTag, withTag } from '../oci/reference.ts';
import type { EngineServices } from './engine-services.ts';
import { JsonLines, type Request, sendBytes } from './http.ts';
import { tellImage } from './image-events.ts';
import { credentialsOf } from './registry-auth.ts';
import type { EngineRouter } from './router.ts';

/** How images come and go: pull, push, import, load, save. */
export function addImageTransferRoutes(router: EngineRouter, services: EngineServices): void {
  router.add('POST', '/images/create', (request, response) =>
    request.query.get('fromSrc') === null ? pull(services, request, response) : importFrom(services, request, response),
  );
  router.add('POST', '/images/{name*}/push', (request, response) => push(services, request, response));
  router.add('POST', '/images/load', (request, response) => load(services, request, response));
  router.add('GET', '/images/get', ({ query, signal }, response) =>
    save(services, query.getAll('names'), signal, response),
  );
  router.add('GET', '/images/{name*}/get', ({ parameters, signal }, response) =>
    save(services, [parameters.name ?? ''], signal, response),
  );
}

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

/** Once the answer has begun, an error is its last line. */
function failStream(lines: JsonLines, error: unknown): void {
  const hint = error instanceof SlipwayError && error.hint !== undefined ? ` (${error.hint})` : '';
  const message = `${errorMessage(error)}${hint}`;
  lines.write({ errorDetail: { message }, error: message });
  lines.end();
}

const platformOf = (query: URLSearchParams) => {
  const text = query.get('platform');
  return text ? { platform: parsePlatform(text) } : {};
};

async function pull(services: EngineServices, request: Request, response: ServerResponse): Promise<void> {
  const { query, message, signal } = request;
  const from = query.get('fromImage');
  if (from === null || from === '') throw invalidArgument('the request names no image (fromImage)');
  const tag = query.get('tag') ?? '';
  const reference = withDefaultTag(
    parseReference(tag === '' ? from : `${from}${tag.startsWith('sha256:') ? '@' : ':'}${tag}`),
  );
  const client = services.registryFor(credentialsOf(message, reference.domain));
  const options = { ...platformOf(query), signal };
  const lines = new JsonLines(response);
  lines.write({ status: `Pulling from ${reference.path}`, id: reference.tag ?? reference.digest });
  try {
    const pulled = await pullImage({ ...services, client }, reference, { ...options, onProgress: progressTo(lines) });
    const name = familiarReference(reference);
    lines.write({ status: `Digest: ${pulled.image.target.digest}` });
    lines.write({ status: `Status: ${pulled.isNew ? 'Downloaded newer image' : 'Image is up to date'} for ${name}` });
    tellImage(services, 'pull', name, name);
    lines.end();
  } catch (error) {
    failStream(lines, error);
  }
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
  const record = await importImage(services, message, {
    ...(name ? { name } : {}),
    changes: parseChanges(query.getAll('changes')),
    ...(query.get('message') ? { message: query.get('message') ?? '' } : {}),
    ...platformOf(query),
    signal,
  });
  tellImage(services, 'import', record.id, name ? familiarReference(name) : undefined);
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
  const references = tag ? [withTag(repository, tag)] : tagsOf(services, repository);
  const client = services.registryFor(credentialsOf(message, repository.domain));
  const lines = new JsonLines(response);
  lines.write({ status: `The push refers to repository [${repository.domain}/${repository.path}]` });
  try {
    for (const reference of references) {
      const pushed = await pushImage({ ...services, client }, reference, { onProgress: progressTo(lines), signal });
      lines.write({ status: `${reference.tag}: digest: ${pushed.digest} size: ${pushed.size}` });
      lines.write({ progressDetail: {}, aux: { Tag: reference.tag, Digest: pushed.digest, Size: pushed.size } });
      tellImage(services, 'push', familiarReference(reference), familiarReference(reference));
    }
    lines.end();
  } catch (error) {
    failStream(lines, error);
  }
}

/** `push --all-tags` names no tag. Throws not-found when there is none. */
function tagsOf({ images }: EngineServices, { domain, path }: Reference): Reference[] {
  const references = images
    .list()
    .flatMap(({ tags }) => tags.map(parseReference))
    .filter((each) => each.domain === domain && each.path === path);
  if (references.length === 0) throw notFound(`An image does not exist locally with the tag: ${domain}/${path}`);
  return references;
}

async function load(
  services: EngineServices,
  { message, query, signal }: Request,
  response: ServerResponse,
): Promise<void> {
  const loaded = await loadImages(services, message, { ...platformOf(query), signal });
  const lines = new JsonLines(response);
  for (const { id, names } of loaded) {
    for (const name of names) lines.write({ stream: `Loaded image: ${name}\n` });
    if (names.length === 0) lines.write({ stream: `Loaded image ID: ${id}\n` });
    tellImage(services, 'load', id, names[0]);
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
  await sendBytes(response, saveImages(services, names, { signal }), 'application/x-tar');
}
