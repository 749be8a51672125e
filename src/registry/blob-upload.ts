import type { Descriptor } from '../oci/descriptor.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import type { HttpResponse } from './http-transport.ts';
import type { RegistryClient, RegistryRequest } from './registry-client.ts';
import { hasStatus, isTransient, RegistryError } from './registry-error.ts';
import type { RegistryEndpoint } from './registry-hosts.ts';
import { pullScope, pushScope } from './scopes.ts';

export interface PushBlobOptions {
  /** Opens the blob's bytes from an offset; called again for every try. */
  readonly open: (offset: number) => AsyncIterable<Uint8Array>;
  /** Repositories on the same registry that may have the blob, to be mounted from. */
  readonly mountFrom?: readonly string[] | undefined;
  /** Uploads in chunks of this many bytes instead of all at once; for registries behind a proxy with a body limit. */
  readonly chunkSize?: number | undefined;
  /** Bytes sent so far; falls back when a try starts over. */
  readonly onProgress?: ((sent: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type PushOutcome = 'exists' | 'mounted' | 'uploaded';

/** One blob's way into a repository; each attempt is whole. */
export class BlobUpload {
  readonly #client: RegistryClient;
  readonly #endpoint: RegistryEndpoint;
  readonly #reference: Reference;
  readonly #descriptor: Descriptor;
  readonly #options: PushBlobOptions;

  constructor(client: RegistryClient, reference: Reference, descriptor: Descriptor, options: PushBlobOptions) {
    this.#client = client;
    this.#endpoint = client.hosts.originFor(reference.domain);
    this.#reference = reference;
    this.#descriptor = descriptor;
    this.#options = options;
  }

  /** From the look whether it is there: a try whose answer got lost may have come through. */
  async attempt(): Promise<PushOutcome> {
    if (await this.#exists()) return 'exists';
    const location = await this.#begin();
    if (location === undefined) return 'mounted';
    try {
      await this.#send(location);
    } catch (error) {
      // The upload session is lost or out of step; a new one starts over.
      if (!hasStatus(error, 404, 416)) throw error;
      throw new RegistryError('unavailable', error.message, { transient: true, cause: error });
    }
    return 'uploaded';
  }

  async #exists(): Promise<boolean> {
    const response = await this.#request({
      method: 'HEAD',
      path: this.#blobPath(this.#descriptor.digest),
      accept: [200, 404],
    });
    response.discard();
    return response.status === 200;
  }

  /** Starts an upload session, or answers undefined when the registry mounted the blob from elsewhere. */
  async #begin(): Promise<URL | undefined> {
    for (const from of this.#options.mountFrom ?? []) {
      if (from === this.#reference.path) continue;
      const response = await this.#tryMount(from);
      if (response?.status === 201) return undefined;
      if (response?.status === 202) return this.#locationOf(response);
    }
    const response = await this.#request({ method: 'POST', path: this.#blobPath('uploads/'), accept: [202] });
    response.discard();
    return this.#locationOf(response);
  }

  /** A refused mount is no failure: the blob is uploaded instead. */
  async #tryMount(from: string): Promise<HttpResponse | undefined> {
    try {
      const response = await this.#request({
        method: 'POST',
        path: this.#blobPath('uploads/'),
        query: { mount: this.#descriptor.digest, from },
        scopes: [pushScope(this.#reference.path), pullScope(from)],
        accept: [201, 202],
      });
      response.discard();
      return response;
    } catch (error) {
      if (error instanceof RegistryError && !isTransient(error)) return undefined;
      throw error;
    }
  }

  async #send(location: URL): Promise<void> {
    const { chunkSize } = this.#options;
    const { size, digest } = this.#descriptor;
    const chunked = chunkSize !== undefined && size > chunkSize;
    const url = chunked ? await this.#sendChunks(location, chunkSize) : location;
    const body = chunked ? undefined : () => this.#counted(0, size);
    const target = new URL(url);
    target.searchParams.set('digest', digest);
    const response = await this.#request({
      method: 'PUT',
      path: target,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(chunked ? 0 : size) },
      body,
      accept: [201, 204],
    });
    response.discard();
  }

  async #sendChunks(location: URL, wanted: number): Promise<URL> {
    let url = location;
    for (let start = 0; start < this.#descriptor.size; start += wanted) {
      const end = Math.min(start + wanted, this.#descriptor.size);
      const from = start;
      const response = await this.#request({
        method: 'PATCH',
        path: url,
        headers: {
          'content-type': 'application/octet-stream',
          'content-length': String(end - start),
          'content-range': `${start}-${end - 1}`,
        },
        body: () => this.#counted(from, end),
        accept: [202],
      });
      response.discard();
      url = this.#locationOf(response);
    }
    return url;
  }

  async *#counted(start: number, end: number): AsyncGenerator<Uint8Array, void> {
    let at = start;
    for await (const chunk of this.#options.open(start)) {
      const part = at + chunk.length > end ? chunk.subarray(0, end - at) : chunk;
      at += part.length;
      this.#options.onProgress?.(at);
      yield part;
      if (at >= end) return;
    }
  }

  /**
   * Where to send the bytes. Another host gets them without our authorization (the client sees to it); leaving HTTPS is refused.
   */
  #locationOf(response: HttpResponse): URL {
    const url = URL.parse(response.headers.location ?? '', response.url);
    const web = url?.protocol === 'https:' || url?.protocol === 'http:';
    if (!url || !web || response.headers.location === undefined) {
      throw new RegistryError(
        'failed-precondition',
        `cannot ${this.#action()}: the registry gave no place to upload to`,
      );
    }
    if (response.url.protocol === 'https:' && url.protocol === 'http:') {
      throw new RegistryError(
        'failed-precondition',
        `cannot ${this.#action()}: the registry's upload place leaves HTTPS`,
      );
    }
    return url;
  }

  #blobPath(rest: string): string {
    return `${this.#reference.path}/blobs/${rest}`;
  }

  #action(): string {
    return `push blob "${this.#descriptor.digest}" to "${formatReference(this.#reference)}"`;
  }

  #request(
    request: Pick<RegistryRequest, 'method' | 'path' | 'accept'> & Partial<RegistryRequest>,
  ): Promise<HttpResponse> {
    return this.#client.send(this.#endpoint, {
      scopes: [pushScope(this.#reference.path)],
      action: this.#action(),
      signal: this.#options.signal,
      // The whole attempt is repeated, not its single requests.
      attempts: 1,
      ...request,
    });
  }
}
