import { invalidArgument } from '../base/errors.ts';
import { compileGoMatch } from '../dockerfile/go-match.ts';
import { findImage } from '../image/find-image.ts';
import { readImage } from '../image/image-content.ts';
import type { ImageRecord } from '../image/image-store.ts';
import { familiarReference, familiarRepository, parseReference } from '../oci/reference.ts';
import type { EngineServices } from './engine-services.ts';
import type { Filters } from './http.ts';

const known = ['reference', 'dangling', 'label', 'label!', 'before', 'since', 'until', 'id'];

/** The images that filters leave; `reference` also leaves only the names that match. */
export function filterImages(services: EngineServices, filters: Filters): ImageRecord[] {
  for (const key of filters.keys()) if (!known.includes(key)) throw invalidArgument(`invalid filter '${key}'`);
  const created = (text: string) => createdOf(services, findImage(services.images, text).record);
  const references = (filters.get('reference') ?? []).map(referenceMatcher);
  return services.images.list().flatMap((record) => {
    const shown =
      references.length === 0
        ? record
        : { ...record, tags: record.tags.filter((name) => references.some((matches) => matches(name))) };
    const dangling = filters.get('dangling')?.[0];
    const keep =
      (references.length === 0 || shown.tags.length > 0) &&
      (dangling === undefined || (record.tags.length === 0) === /^(1|true)$/i.test(dangling)) &&
      matchesLabels(services, record, filters) &&
      (filters.get('before') ?? []).every((text) => createdOf(services, record) < created(text)) &&
      (filters.get('since') ?? []).every((text) => createdOf(services, record) > created(text)) &&
      (filters.get('until') ?? []).every((text) => createdOf(services, record) < timeOf(text));
    return keep ? [shown] : [];
  });
}

export function matchesLabels(services: EngineServices, record: ImageRecord, filters: Filters): boolean {
  const labels = readImage(services.content, record.manifest.descriptor).config.config?.Labels ?? {};
  const has = (text: string) => {
    const [key = '', value] = text.split('=', 2);
    return Object.hasOwn(labels, key) && (value === undefined || labels[key] === value);
  };
  return (filters.get('label') ?? []).every(has) && !(filters.get('label!') ?? []).some(has);
}

/** `w*`, `node:20*`, `docker.io/library/node`: against the name as people write it, with and without its tag. */
function referenceMatcher(pattern: string): (name: string) => boolean {
  const matches = compileGoMatch(pattern);
  return (name) => {
    const reference = parseReference(name);
    return [familiarReference(reference), familiarRepository(reference), name, name.replace(/:[^:/]+$/, '')].some(
      (each) => matches(each),
    );
  };
}

function createdOf({ content }: EngineServices, record: ImageRecord): number {
  return Date.parse(readImage(content, record.manifest.descriptor).config.created ?? '') || record.createdAt;
}

const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000 };

/** `24h` ago, seconds since 1970, or a date. Milliseconds. */
export function timeOf(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (/^(\d+(\.\d+)?[hms])+$/.test(text)) {
    return (
      Date.now() -
      [...text.matchAll(/(\d+(?:\.\d+)?)([hms])/g)].reduce(
        (sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0),
        0,
      )
    );
  }
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw invalidArgument(`invalid time ${JSON.stringify(text)}`, { hint: 'want a duration such as 24h, or a date' });
  return time;
}
