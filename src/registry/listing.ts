import type { Digest } from '../base/digest.ts';
import { digestHex } from '../base/digest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { badDocument, own, parseJsonObject } from '../oci/json.ts';
import { parseManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { type Reference, repositoryOf } from '../oci/reference.ts';
import type { HttpResponse } from './http-transport.ts';
import type { RegistryClient } from './registry-client.ts';
import { RegistryError } from './registry-error.ts';
import { fetchManifest, isMissing } from './resolver.ts';
import { pullScope } from './scopes.ts';

interface ListOptions {
  readonly signal?: AbortSignal | undefined;
}

const mostPages = 1_000;
const pageLimit = 8 << 20;

/** All tags of a repository, in the registry's order. */
export async function listTags(
  client: RegistryClient,
  repository: Reference,
  options: ListOptions = {},
): Promise<readonly string[]> {
  const tags: string[] = [];
  for await (const page of readPages(client, repository, `${repository.path}/tags/list`, 'list the tags of', options)) {
    const list = own(parseJsonObject(page, 'tag list', pageLimit), 'tags') ?? [];
    if (!Array.isArray(list)) throw badDocument('tag list', '"tags" is not a list');
    tags.push(...list.filter((each) => typeof each === 'string'));
  }
  return tags;
}

/**
 * The manifests whose subject is the given digest (distribution-spec, "Listing Referrers"), from the fallback tag where a
 * registry has no referrers API.
 */
export async function listReferrers(
  client: RegistryClient,
  repository: Reference,
  subject: Digest,
  options: ListOptions & { readonly artifactType?: string } = {},
): Promise<readonly Descriptor[]> {
  const found: Descriptor[] = [];
  try {
    const path = `${repository.path}/referrers/${subject}`;
    for await (const page of readPages(client, repository, path, 'list the referrers in', options)) {
      found.push(...manifestsIn(page));
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
    found.push(...(await referrersByTag(client, repository, subject, options)));
  }
  // A registry may ignore the filter, so it is never asked for it.
  const { artifactType } = options;
  return artifactType === undefined ? found : found.filter((each) => each.artifactType === artifactType);
}

async function referrersByTag(
  client: RegistryClient,
  { domain, path }: Reference,
  subject: Digest,
  options: ListOptions,
): Promise<readonly Descriptor[]> {
  try {
    const tag = `sha256-${digestHex(subject)}`;
    const { bytes } = await fetchManifest(client, { domain, path, tag }, { signal: options.signal });
    return manifestsIn(bytes);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function manifestsIn(bytes: Uint8Array): readonly Descriptor[] {
  const index = parseManifest(bytes, mediaTypes.ociIndex);
  return index.kind === 'index' ? index.manifests : [];
}

async function* readPages(
  client: RegistryClient,
  repository: Reference,
  path: string,
  action: string,
  options: ListOptions,
): AsyncGenerator<Uint8Array, void> {
  const seen = new Set<string>();
  const endpoint = client.hosts.originFor(repository.domain);
  const what = `${action} "${repositoryOf(repository)}"`;
  for (let next: string | URL | undefined = path; next !== undefined; ) {
    if (seen.size >= mostPages)
      throw new RegistryError('resource-exhausted', `cannot ${what}: more than ${mostPages} pages`);
    seen.add(String(next));
    const response: HttpResponse = await client.send(endpoint, {
      method: 'GET',
      path: next,
      scopes: [pullScope(repository.path)],
      accept: [200],
      action: what,
      signal: options.signal,
    });
    yield await response.readAll(pageLimit);
    next = nextPage(response, what);
    if (next !== undefined && seen.has(String(next)))
      throw new RegistryError('failed-precondition', `cannot ${what}: its pages go round in a circle`);
  }
}

/** `Link: <…>; rel="next"`, on the same host only. */
function nextPage(response: HttpResponse, action: string): URL | undefined {
  const link = response.headers.link;
  const target = /^\s*<([^<>]*)>\s*;[^<>]*\brel="?next"?/.exec(Array.isArray(link) ? link.join() : (link ?? ''))?.[1];
  if (target === undefined) return undefined;
  const url = URL.parse(target, response.url);
  if (url?.origin === response.url.origin) return url;
  throw new RegistryError('failed-precondition', `cannot ${action}: the next page is on another host`);
}
