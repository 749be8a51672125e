import { type Digest, digestOf, isDigest } from '../base/digest.ts';
import { errorMessage } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { looksLikeHtml } from '../oci/json.ts';
import { manifestSizeLimit, parseManifest } from '../oci/manifest.ts';
import { bareMediaType, isIndexType, isManifestType, manifestMediaTypes } from '../oci/media-types.ts';
import { formatReference, manifestKey, type Reference } from '../oci/reference.ts';
import type { HttpResponse } from './http-transport.ts';
import type { RegistryClient } from './registry-client.ts';
import { cleanText, hasStatus, RegistryError } from './registry-error.ts';
import type { RegistryEndpoint } from './registry-hosts.ts';
import { pullScope } from './scopes.ts';

interface ResolveOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A manifest or index as a registry served it, its digest checked. */
export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/**
 * What a reference stands for now: the descriptor of its manifest or index, by HEAD, which registries do not count as
 * a pull. The digest of a tag is the registry's word until the manifest has been fetched by it.
 */
export async function resolveReference(
  client: RegistryClient,
  reference: Reference,
  options: ResolveOptions = {},
): Promise<Descriptor> {
  return overEndpoints(client, reference, async (endpoint) => {
    const request = manifestRequest('HEAD', reference, manifestKey(reference), options);
    const response = await client.send(endpoint, { ...request, accept: [200, 405, 501] });
    response.discard();
    const found = response.status === 200 ? descriptorFromHeaders(response, reference.digest) : undefined;
    return found ?? (await getManifest(client, endpoint, reference, manifestKey(reference), options)).descriptor;
  });
}

/** Fetches a manifest or index by the reference's digest or tag, or by another digest of the same repository. */
export async function fetchManifest(
  client: RegistryClient,
  reference: Reference,
  options: ResolveOptions & { readonly digest?: Digest } = {},
): Promise<FetchedManifest> {
  const key = options.digest ?? manifestKey(reference);
  return overEndpoints(client, reference, (endpoint) => getManifest(client, endpoint, reference, key, options));
}

/** Mirrors in order, the registry itself last; its error is the one that counts. */
export async function overEndpoints<T>(
  client: RegistryClient,
  reference: Reference,
  work: (endpoint: RegistryEndpoint) => Promise<T>,
): Promise<T> {
  const origin = client.hosts.originFor(reference.domain);
  for (const endpoint of client.hosts.endpointsFor(reference.domain)) {
    if (endpoint === origin) break;
    try {
      return await work(endpoint);
    } catch (error) {
      if (error instanceof Error && error.name === 'AbortError') throw error;
    }
  }
  return work(origin);
}

function manifestRequest(method: 'GET' | 'HEAD', reference: Reference, key: string, options: ResolveOptions) {
  return {
    method,
    path: `${reference.path}/manifests/${key}`,
    headers: { accept: [...manifestMediaTypes, '*/*;q=0.1'].join(', ') },
    scopes: [pullScope(reference.path)],
    accept: [200],
    action: `${method === 'HEAD' ? 'resolve' : 'fetch the manifest of'} "${formatReference(reference)}"`,
    signal: options.signal,
  } as const;
}

function descriptorFromHeaders(response: HttpResponse, want: Digest | undefined): Descriptor | undefined {
  const mediaType = bareMediaType(response.headers['content-type']);
  const stated = response.headers['docker-content-digest'];
  const digest = want ?? (typeof stated === 'string' && isDigest(stated) ? stated : undefined);
  const size = Number(response.headers['content-length'] ?? Number.NaN);
  const usable = digest !== undefined && (isIndexType(mediaType) || isManifestType(mediaType)) && size > 0;
  return usable ? { mediaType, digest, size } : undefined;
}

async function getManifest(
  client: RegistryClient,
  endpoint: RegistryEndpoint,
  reference: Reference,
  key: string,
  options: ResolveOptions,
): Promise<FetchedManifest> {
  const request = manifestRequest('GET', reference, key, options);
  const response = await client.send(endpoint, request);
  const bytes = await response.readAll(manifestSizeLimit);
  const digest = digestOf(bytes);
  if (looksLikeHtml(bytes)) {
    throw new RegistryError(
      'failed-precondition',
      `cannot ${request.action}: "${response.url.host}" answered with an HTML page, not a manifest`,
      {
        hint: 'check that this host is a registry; a proxy or a login page may stand in between',
      },
    );
  }
  const stated = response.headers['docker-content-digest'];
  const want = isDigest(key) ? key : typeof stated === 'string' && stated.startsWith('sha256:') ? stated : digest;
  if (digest !== want) {
    const shown = cleanText(want, 80);
    throw new RegistryError(
      'data-loss',
      `cannot ${request.action}: its bytes have digest "${digest}", expected "${shown}"`,
    );
  }
  return { descriptor: { mediaType: checkedType(bytes, response, request.action), digest, size: bytes.length }, bytes };
}

function checkedType(bytes: Uint8Array, response: HttpResponse, action: string): string {
  const announced = bareMediaType(response.headers['content-type']);
  try {
    return parseManifest(bytes, announced).mediaType;
  } catch (error) {
    throw new RegistryError('failed-precondition', `cannot ${action}: ${errorMessage(error)}`, { cause: error });
  }
}

/** True when a registry says that it does not have what was asked for. */
export function isMissing(error: unknown): boolean {
  return hasStatus(error, 404);
}
