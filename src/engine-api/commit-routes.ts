import type { ServerResponse } from 'node:http';
import type { ContainerConfig, ContainerRecord } from '../container/container-record.ts';
import { applyChanges, parseChanges } from '../image/change-config.ts';
import { commitLayer } from '../image/commit-layer.ts';
import { findImage } from '../image/find-image.ts';
import { type ImageContent, readImage } from '../image/image-content.ts';
import type { ContainerConfig as ImageContainerConfig } from '../oci/image-config.ts';
import { familiarReference, parseReference, withDefaultTag, withTag } from '../oci/reference.ts';
import type { ActiveId } from '../snapshot/snapshots.ts';
import type { EngineServices } from './engine-services.ts';
import { type Request, readJson, sendJson } from './http.ts';
import type { EngineRouter } from './router.ts';

export function addCommitRoutes(router: EngineRouter, services: EngineServices): void {
  router.add('POST', '/commit', (request, response) => commit(services, request, response));
}

/** An image from a container: what it has changed of its image becomes one layer more. */
async function commit(services: EngineServices, request: Request, response: ServerResponse): Promise<void> {
  const { query, message, signal } = request;
  const { containers, files, snapshots } = services;
  const given = (await readJson(message)) as ContainerConfig;
  const record = containers.find(query.get('container') ?? '');
  const name = nameIn(query);
  const changes = parseChanges(
    query
      .getAll('changes')
      .flatMap((text) => text.split('\n'))
      .filter(Boolean),
  );
  const config = applyChanges(imageConfigOf({ ...record.config, ...withoutEmpty(given) }), changes);
  const image = await commitLayer(services, {
    base: imageOf(services, record),
    stack: snapshots.activeStack(record.layer as ActiveId),
    changeset: files.changeset(record),
    config,
    name,
    author: query.get('author') ?? undefined,
    comment: query.get('comment') ?? undefined,
    createdBy: (record.config.Cmd ?? []).join(' '),
    signal,
  });
  containers.tell(record, 'commit', {
    comment: query.get('comment') ?? '',
    imageID: image.id,
    imageRef: name ? familiarReference(name) : '',
  });
  sendJson(response, { Id: image.id }, 201);
}

function nameIn(query: URLSearchParams) {
  const [repository, tag] = [query.get('repo'), query.get('tag')];
  if (!repository) return undefined;
  const reference = parseReference(repository);
  return tag ? withTag(reference, tag) : withDefaultTag(reference);
}

/** Undefined when it was removed from under the container. */
function imageOf({ images, content }: EngineServices, { imageId }: ContainerRecord): ImageContent | undefined {
  try {
    const { record } = findImage(images, imageId);
    return readImage(content, record.manifest.descriptor);
  } catch {
    return undefined;
  }
}

/** What of a container's config an image keeps. */
function imageConfigOf(config: ContainerConfig): ImageContainerConfig {
  const kept = [
    ...['User', 'ExposedPorts', 'Env', 'Entrypoint', 'Cmd', 'Volumes', 'WorkingDir', 'Labels', 'StopSignal'],
    ...['Healthcheck', 'OnBuild', 'Shell'],
  ];
  return withoutEmpty(Object.fromEntries(Object.entries(config).filter(([key]) => kept.includes(key))));
}

function withoutEmpty<T extends object>(config: T): T {
  const isEmpty = (value: unknown) =>
    value === undefined ||
    value === null ||
    value === '' ||
    (typeof value === 'object' && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(config).filter(([, value]) => !isEmpty(value))) as T;
}
