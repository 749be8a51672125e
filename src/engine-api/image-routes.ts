import type { ServerResponse } from 'node:http';
import { imageHistory, imageSize } from '../image/describe-image.ts';
import { findImage } from '../image/find-image.ts';
import { readImage } from '../image/image-content.ts';
import { pruneImages } from '../image/prune-images.ts';
import { type ImageUser, removeImage } from '../image/remove-image.ts';
import { diffIdsOf } from '../oci/parse-image-config.ts';
import { familiarReference, parseReference, withDefaultTag, withTag } from '../oci/reference.ts';
import type { EngineServices } from './engine-services.ts';
import { flagOf, type Request, readFilters, sendJson, sendNothing } from './http.ts';
import { tellImage } from './image-events.ts';
import { filterImages, matchesLabels, timeOf } from './image-filters.ts';
import { imageSummary, secondsOf } from './image-summary.ts';
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
  router.add('POST', '/images/prune', (request, response) => prune(services, request, response));
  router.add('DELETE', '/images/{name*}', async ({ parameters, query }, response) => {
    const removed = removeImage(services.images, parameters.name ?? '', {
      force: flagOf(query, 'force'),
      usersOf: usersOf(services),
    });
    await services.collect();
    for (const each of removed) {
      if ('Untagged' in each) tellImage(services, 'untag', each.Untagged, each.Untagged);
      else tellImage(services, 'delete', each.Deleted, undefined);
    }
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
  const { record } = findImage(services.images, name);
  services.images.tag(record.target.digest, reference);
  tellImage(services, 'tag', record.id, familiarReference(reference));
  sendNothing(response, 201);
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
