import { invalidArgument } from '../base/errors.ts';
import { hasLabel } from '../container/container-filters.ts';
import type { Containers } from '../container/containers.ts';
import { directorySize } from '../container/directory-size.ts';
import { checkDriver } from '../container/mount-plan.ts';
import type { Volume } from '../container/volumes.ts';
import { type Filters, flagOf, readFilters, readJson, sendJson, sendNothing, textRecord } from './http.ts';
import type { EngineRouter } from './router.ts';

export function addVolumeRoutes(router: EngineRouter, containers: Containers): void {
  const { volumes, events } = containers;
  const tell = (action: string, { name }: Volume) =>
    events.publish({ type: 'volume', action, id: name, attributes: { driver: 'local' } });
  const remove = async (volume: Volume) => {
    await volumes.remove(volume.name, containers.usersOf(volume.name));
    tell('destroy', volume);
  };
  router.add('GET', '/volumes', ({ query }, response) => {
    const filters = readFilters(query);
    checkKeys(filters, ['name', 'label', 'label!', 'dangling', 'driver']);
    const found = volumes.list().filter((volume) => matchesVolume(volume, filters, containers));
    sendJson(response, { Volumes: found.map((volume) => volumeJson(volume)), Warnings: null });
  });
  router.add('GET', '/volumes/{name}', ({ parameters }, response) =>
    sendJson(response, volumeJson(volumes.get(parameters.name ?? ''))),
  );
  router.add('POST', '/volumes/create', async ({ message }, response) => {
    const body = await readJson(message);
    checkDriver(typeof body.Driver === 'string' ? body.Driver : '', textRecord(body.DriverOpts));
    const name = typeof body.Name === 'string' ? body.Name : '';
    const { volume, isNew } = volumes.ensure({ name, labels: textRecord(body.Labels) });
    if (isNew) tell('create', volume);
    sendJson(response, volumeJson(volume), 201);
  });
  router.add('DELETE', '/volumes/{name}', async ({ parameters, query }, response) => {
    const name = parameters.name ?? '';
    if (!flagOf(query, 'force') || volumes.has(name)) await remove(volumes.get(name));
    sendNothing(response);
  });
  router.add('POST', '/volumes/prune', async ({ query, version }, response) => {
    const filters = readFilters(query);
    checkKeys(filters, ['label', 'label!', 'all']);
    // Since API 1.42 named volumes are only taken when that is asked for.
    const all = version < 42 || /^(1|true)$/i.test(filters.get('all')?.[0] ?? '');
    const unused = volumes
      .list()
      .filter((volume) => (all || volume.anonymous) && containers.usersOf(volume.name).length === 0)
      .filter((volume) => matchesVolume(volume, new Map([...filters].filter(([key]) => key !== 'all')), containers));
    let reclaimed = 0;
    for (const volume of unused) {
      reclaimed += await directorySize(volume.path);
      await remove(volume);
    }
    sendJson(response, { VolumesDeleted: unused.map(({ name }) => name), SpaceReclaimed: reclaimed });
  });
}

export function volumeJson(
  { name, labels, created, path }: Volume,
  usage?: { readonly Size: number; readonly RefCount: number },
): object {
  return {
    CreatedAt: created.replace(/\.\d+Z$/, 'Z'),
    Driver: 'local',
    Labels: Object.keys(labels).length > 0 ? labels : null,
    Mountpoint: path,
    Name: name,
    Options: null,
    Scope: 'local',
    ...(usage ? { UsageData: usage } : {}),
  };
}

function checkKeys(filters: Filters, known: readonly string[]): void {
  for (const key of filters.keys()) if (!known.includes(key)) throw invalidArgument(`invalid filter '${key}'`);
}

function matchesVolume({ name, labels }: Volume, filters: Filters, containers: Containers): boolean {
  const any = (key: string, test: (value: string) => boolean) =>
    !filters.has(key) || (filters.get(key) ?? []).some(test);
  return (
    any('name', (value) => name.includes(value)) &&
    any('driver', (value) => value === 'local') &&
    any('dangling', (value) => /^(1|true)$/i.test(value) === (containers.usersOf(name).length === 0)) &&
    (filters.get('label') ?? []).every((text) => hasLabel(labels, text)) &&
    !(filters.get('label!') ?? []).some((text) => hasLabel(labels, text))
  );
}
