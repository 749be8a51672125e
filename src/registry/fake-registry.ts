import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Digest, digestOf } from '../base/digest.ts';
import { mediaTypes } from '../oci/media-types.ts';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

/** Answers a request instead of the registry; true when it did. Called for every request, in order. */
export type Fault = (request: SeenRequest, response: ServerResponse, count: number) => boolean;

/** A registry in memory over real HTTP, for tests: it says what it saw and fails as told. */
export class FakeRegistry {
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, { mediaType: string; bytes: Buffer }>();
  readonly seen: SeenRequest[] = [];
  readonly #uploads = new Map<string, Buffer>();
  readonly #server: Server;
  #fault: Fault = () => false;
  #faultCount = 0;
  #sessions = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error) => response.destroy(error));
    });
  }

  static async start(): Promise<FakeRegistry> {
    const registry = new FakeRegistry();
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Sets what goes wrong from now on. */
  fault(fault: Fault): void {
    this.#fault = fault;
    this.#faultCount = 0;
  }

  addBlob(content: string | Uint8Array): { digest: Digest; size: number } {
    const bytes = Buffer.from(content);
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    return { digest, size: bytes.length };
  }

  addManifest(repository: string, tag: string, document: object, mediaType: string = mediaTypes.ociManifest): Digest {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = digestOf(bytes);
    for (const key of [tag, digest]) this.manifests.set(`${repository}/${key}`, { mediaType, bytes });
    return digest;
  }

  /** A one-layer image under the tag. */
  addImage(repository: string, tag: string, layer = 'layer'): { digest: Digest; layer: Digest } {
    const blob = this.addBlob(layer);
    const config = this.addBlob(
      JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { diff_ids: [digestOf(layer)] } }),
    );
    const digest = this.addManifest(repository, tag, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, ...config },
      layers: [{ mediaType: mediaTypes.ociLayer, ...blob }],
    });
    return { digest, layer: blob.digest };
  }

  requests(method: string, part = ''): readonly SeenRequest[] {
    return this.seen.filter((each) => each.method === method && each.path.includes(part));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = { method: request.method ?? '', path: request.url ?? '', headers: request.headers };
    this.seen.push(seen);
    if (this.#fault(seen, response, ++this.#faultCount)) return;
    const url = new URL(seen.path, this.url);
    const [, name = '', kind, rest = ''] =
      /^\/v2\/(.+?)\/(manifests|blobs|tags|referrers)\/(.+)?$/.exec(url.pathname) ?? [];
    if (kind === 'manifests') return this.#serveManifest(request, response, name, rest);
    if (kind === 'blobs' && rest.startsWith('uploads')) return this.#serveUpload(request, response, name, url);
    if (kind === 'blobs') return this.#serveBlob(request, response, rest);
    if (kind === 'tags') return answerJson(response, 200, { name, tags: this.#tagsOf(name) });
    answerJson(response, url.pathname === '/v2/' ? 200 : 404, {});
  }

  #tagsOf(name: string): readonly string[] {
    const tags = [...this.manifests.keys()]
      .filter((key) => key.startsWith(`${name}/`))
      .map((key) => key.slice(name.length + 1));
    return tags.filter((tag) => !tag.startsWith('sha256:'));
  }

  async #serveManifest(request: IncomingMessage, response: ServerResponse, name: string, key: string): Promise<void> {
    if (request.method === 'PUT') {
      const bytes = await readAll(request);
      const mediaType = request.headers['content-type'] ?? '';
      for (const each of [key, digestOf(bytes)]) this.manifests.set(`${name}/${each}`, { mediaType, bytes });
      response.writeHead(201, { 'docker-content-digest': digestOf(bytes) }).end();
      return;
    }
    const found = this.manifests.get(`${name}/${key}`);
    if (!found)
      return answerJson(response, 404, { errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] });
    response.writeHead(200, {
      'content-type': found.mediaType,
      'content-length': found.bytes.length,
      'docker-content-digest': digestOf(found.bytes),
    });
    response.end(request.method === 'HEAD' ? undefined : found.bytes);
  }

  #serveBlob(request: IncomingMessage, response: ServerResponse, digest: string): void {
    const blob = this.blobs.get(digest);
    if (!blob) {
      answerJson(response, 404, { errors: [{ code: 'BLOB_UNKNOWN' }] });
      return;
    }
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const part = blob.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': part.length,
      ...(start > 0 ? { 'content-range': `bytes ${start}-${blob.length - 1}/${blob.length}` } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : part);
  }

  async #serveUpload(request: IncomingMessage, response: ServerResponse, name: string, url: URL): Promise<void> {
    const id = url.pathname.split('/').at(-1) ?? '';
    const location = (session: string) => `/v2/${name}/blobs/uploads/${session}`;
    if (request.method === 'POST') {
      const mount = url.searchParams.get('mount');
      if (mount && this.blobs.has(mount))
        return void response.writeHead(201, { location: `/v2/${name}/blobs/${mount}` }).end();
      const session = `session-${++this.#sessions}`;
      this.#uploads.set(session, Buffer.alloc(0));
      return void response.writeHead(202, { location: `${location(session)}?state=x` }).end();
    }
    const sofar = this.#uploads.get(id);
    if (!sofar) return answerJson(response, 404, { errors: [{ code: 'BLOB_UPLOAD_UNKNOWN' }] });
    const bytes = Buffer.concat([sofar, await readAll(request)]);
    this.#uploads.set(id, bytes);
    if (request.method === 'PATCH') return void response.writeHead(202, { location: location(id) }).end();
    const digest = url.searchParams.get('digest') ?? '';
    if (digestOf(bytes) !== digest) return answerJson(response, 400, { errors: [{ code: 'DIGEST_INVALID' }] });
    this.#uploads.delete(id);
    this.blobs.set(digest, bytes);
    response.writeHead(201, { location: `/v2/${name}/blobs/${digest}` }).end();
  }
}

export function answerJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
