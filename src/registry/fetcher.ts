import { verifyDigest } from '../base/digest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import type { HttpResponse } from './http-transport.ts';
import type { RegistryClient } from './registry-client.ts';
import { isTransient, RegistryError } from './registry-error.ts';
import type { RegistryEndpoint } from './registry-hosts.ts';
import { overEndpoints } from './resolver.ts';
import { delayAfter } from './retry.ts';
import { pullScope } from './scopes.ts';

interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
  /** Leaves mirrors out: after one served wrong bytes. */
  readonly originOnly?: boolean | undefined;
}

/**
 * The bytes of a blob, verified: the iteration fails at the end when digest or size differ from the descriptor, and as soon as there
 * are too many. A transfer that breaks off goes on where it stopped. Foreign layers' `urls` are never followed (CVE-2020-15157).
 */
export function fetchBlob(
  client: RegistryClient,
  reference: Reference,
  descriptor: Descriptor,
  options: FetchOptions = {},
): AsyncIterable<Uint8Array> {
  return verifyDigest(fetchUnverified(client, reference, descriptor, options), descriptor.digest, descriptor.size);
}

/** The same without the proof, for a content store that proves what it is given. */
export async function* fetchUnverified(
  client: RegistryClient,
  reference: Reference,
  descriptor: Descriptor,
  options: FetchOptions = {},
): AsyncGenerator<Uint8Array, void> {
  let offset = 0;
  let attempt = 0;
  for (;;) {
    const before = offset;
    try {
      const response = await openBlob(client, reference, descriptor, offset, options);
      for await (const chunk of response.body) {
        offset += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      // Progress resets the count: a large blob over a bad line may break off many times.
      attempt = offset > before ? 1 : attempt + 1;
      const delayMs = isTransient(error) ? delayAfter(error, attempt, client.retryPolicy) : undefined;
      if (delayMs === undefined || options.signal?.aborted) throw error;
      if (error instanceof Error) {
        client.onRetry?.({ attempt, attempts: client.retryPolicy.attempts, delayMs, error });
      }
      await client.retryPolicy.sleep(delayMs, options.signal);
    }
  }
}

interface OpenBlob {
  readonly body: AsyncIterable<Uint8Array>;
}

async function openBlob(
  client: RegistryClient,
  reference: Reference,
  descriptor: Descriptor,
  offset: number,
  options: FetchOptions,
): Promise<OpenBlob> {
  const open = async (endpoint: RegistryEndpoint): Promise<OpenBlob> => {
    const response = await client.send(endpoint, {
      method: 'GET',
      path: `${reference.path}/blobs/${descriptor.digest}`,
      headers: offset > 0 ? { range: `bytes=${offset}-` } : {},
      scopes: [pullScope(reference.path)],
      accept: offset > 0 ? [200, 206] : [200],
      action: `fetch blob "${descriptor.digest}" of "${formatReference(reference)}"`,
      signal: options.signal,
      attempts: 1,
    });
    checkLength(response, descriptor);
    return { body: offset > 0 ? fromOffset(response, offset) : response.body };
  };
  return options.originOnly ? open(client.hosts.originFor(reference.domain)) : overEndpoints(client, reference, open);
}

function checkLength(response: HttpResponse, { digest, size }: Descriptor): void {
  const length = Number(response.headers['content-length'] ?? Number.NaN);
  if (response.status !== 200 || Number.isNaN(length) || length === size) return;
  response.discard();
  throw new RegistryError(
    'data-loss',
    `cannot fetch blob "${digest}": "${response.url.host}" offers ${length} bytes, expected ${size}`,
  );
}

/** A server may ignore Range (200), or answer another one than was asked for. */
function fromOffset(response: HttpResponse, offset: number): AsyncIterable<Uint8Array> {
  if (response.status === 200) return skipBytes(response.body, offset);
  const start = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '')?.[1];
  if (start !== undefined && Number(start) <= offset) return skipBytes(response.body, offset - Number(start));
  response.discard();
  throw new RegistryError(
    'failed-precondition',
    `cannot go on fetching from "${response.url.host}": it answered another range`,
  );
}

async function* skipBytes(bytes: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array, void> {
  let left = count;
  for await (const chunk of bytes) {
    if (left >= chunk.length) left -= chunk.length;
    else {
      yield left > 0 ? chunk.subarray(left) : chunk;
      left = 0;
    }
  }
}
