import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../base/digest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { parseReference } from '../oci/reference.ts';
import { answerJson, FakeRegistry } from './fake-registry.ts';
import { fetchBlob } from './fetcher.ts';
import { createHttpTransport } from './http-transport.ts';
import { listReferrers, listTags } from './listing.ts';
import { pushBlob, pushManifest } from './pusher.ts';
import { RegistryClient, type RegistryClientOptions } from './registry-client.ts';
import { createRegistryHosts } from './registry-hosts.ts';
import { fetchManifest, resolveReference } from './resolver.ts';

const pauses: number[] = [];
const retry = { sleep: async (ms: number) => void pauses.push(ms) };
const newClient = (options: RegistryClientOptions = {}) => new RegistryClient({ retry, ...options });

async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(bytes));
}

const layerOf = (text: string | Buffer) => ({
  mediaType: mediaTypes.ociLayer,
  digest: digestOf(text),
  size: text.length,
});

test('a tag resolves by HEAD, its manifest and blobs are fetched and verified', async () => {
  await using registry = await FakeRegistry.start();
  const image = registry.addImage('a/b', '1');
  const client = newClient();
  const reference = parseReference(`${registry.host}/a/b:1`);
  const descriptor = await resolveReference(client, reference);
  assert.equal(descriptor.digest, image.digest);
  assert.equal(registry.requests('GET').length, 0);
  const manifest = await fetchManifest(client, reference, { digest: descriptor.digest });
  assert.deepEqual(manifest.descriptor, descriptor);
  assert.equal((await readAll(fetchBlob(client, reference, layerOf('layer')))).toString(), 'layer');
  assert.deepEqual(await listTags(client, reference), ['1']);
  assert.deepEqual(await listReferrers(client, reference, image.digest), []);
  client.close();
});

test('a missing image names itself and the registry', async () => {
  await using registry = await FakeRegistry.start();
  const error = await resolveReference(newClient(), parseReference(`${registry.host}/no:1`)).catch((e) => e);
  assert.equal(error.code, 'not-found');
  assert.match(error.message, new RegExp(`resolve "${registry.host}/no:1".*404`));
});

test('E6: bytes that are not those of the digest are refused (GHSA-qv35-3gw6-8q4j)', async () => {
  await using registry = await FakeRegistry.start();
  const { digest } = registry.addImage('a', '1');
  const other = registry.addImage('a', '2', 'other');
  const wrong = registry.manifests.get(`a/${other.digest}`);
  if (wrong) registry.manifests.set(`a/${digest}`, wrong);
  const reference = parseReference(`${registry.host}/a:1@${digest}`);
  await assert.rejects(fetchManifest(newClient(), reference), { code: 'data-loss' });
  registry.blobs.set(digestOf('layer'), Buffer.from('LAYER'));
  await assert.rejects(readAll(fetchBlob(newClient(), reference, layerOf('layer'))), { code: 'data-loss' });
});

test('A20: a blob longer or shorter than its descriptor is refused', async () => {
  await using registry = await FakeRegistry.start();
  const reference = parseReference(`${registry.host}/a`);
  registry.blobs.set(digestOf('layer'), Buffer.from('layer and more'));
  await assert.rejects(readAll(fetchBlob(newClient(), reference, layerOf('layer'))), { code: 'data-loss' });
});

test('E7: a Content-Type other than the mediaType is refused', async () => {
  await using registry = await FakeRegistry.start();
  const document = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] };
  registry.addManifest('a', '1', document, mediaTypes.dockerManifest);
  await assert.rejects(fetchManifest(newClient(), parseReference(`${registry.host}/a:1`)), /announced as/);
});

test('E11: an HTML page, an unasked encoding and a wrong Docker-Content-Digest are told apart', async () => {
  await using registry = await FakeRegistry.start();
  registry.addImage('a', '1');
  const reference = parseReference(`${registry.host}/a:1`);
  const served = [
    [{ 'content-type': 'text/html' }, '<!doctype html><title>Sign in', /HTML page, not a manifest/],
    [{ 'content-encoding': 'gzip' }, 'x', /Content-Encoding "gzip"/],
    [{ 'docker-content-digest': digestOf('x') }, '{"schemaVersion":2}', /expected "sha256:2d71/],
  ] as const;
  for (const [headers, body, message] of served) {
    registry.fault((_, response) => {
      response.writeHead(200, headers).end(body);
      return true;
    });
    await assert.rejects(fetchManifest(newClient(), reference), message);
  }
});

test('E9: a manifest over 4 MiB and endless paging are cut off (CVE-2023-2253)', async () => {
  await using registry = await FakeRegistry.start();
  const reference = parseReference(`${registry.host}/a:1`);
  registry.fault((_, response) => {
    response.writeHead(200, { 'content-type': mediaTypes.ociManifest }).end(Buffer.alloc(5 << 20));
    return true;
  });
  await assert.rejects(fetchManifest(newClient(), reference), { code: 'resource-exhausted' });
  registry.fault((_, response) => {
    response.setHeader('link', '</v2/a/tags/list?last=x>; rel="next"');
    answerJson(response, 200, { tags: ['x'] });
    return true;
  });
  await assert.rejects(listTags(newClient(), reference), /circle/);
});

test('server faults are tried again with growing pauses, and told', async () => {
  await using registry = await FakeRegistry.start();
  registry.addImage('a', '1');
  const notices: string[] = [];
  const client = newClient({
    onRetry: ({ attempt, error }) => notices.push(`${attempt} ${error.message.slice(0, 20)}`),
  });
  registry.fault((_, response, count) => {
    if (count > 3) return false;
    if (count === 3) response.destroy();
    else answerJson(response, count === 2 ? 503 : 502, { errors: [{ code: 'X'.repeat(70_000) }] });
    return true;
  });
  pauses.length = 0;
  await resolveReference(client, parseReference(`${registry.host}/a:1`));
  assert.equal(notices.length, 3);
  assert.ok(pauses[0] !== undefined && pauses[1] !== undefined && pauses[1] > pauses[0]);
});

test('a kept connection that the server closed is replaced without a pause', async () => {
  await using registry = await FakeRegistry.start();
  registry.addImage('a', '1');
  const client = newClient();
  const reference = parseReference(`${registry.host}/a:1`);
  registry.fault((_, response, count) => {
    // Every second request comes over a connection that is kept from the first.
    if (count % 2 === 1) return false;
    response.destroy();
    return true;
  });
  pauses.length = 0;
  await resolveReference(client, reference);
  // A connection goes back to the pool a few turns after its answer.
  for (let turns = 0; turns < 50; turns++) await new Promise(setImmediate);
  await resolveReference(client, reference);
  assert.deepEqual(pauses, []);
  assert.equal(registry.seen.length, 3);
});

test('429 waits as long as Retry-After says, but not for hours', async () => {
  await using registry = await FakeRegistry.start();
  registry.addImage('a', '1');
  const reference = parseReference(`${registry.host}/a:1`);
  registry.fault((_, response, count) => {
    if (count > 1) return false;
    response.setHeader('retry-after', '7');
    answerJson(response, 429, {});
    return true;
  });
  pauses.length = 0;
  await resolveReference(newClient(), reference);
  assert.deepEqual(pauses, [7000]);
  registry.fault((_, response) => {
    response.setHeader('retry-after', '36000');
    answerJson(response, 429, {});
    return true;
  });
  await assert.rejects(resolveReference(newClient(), reference), { code: 'resource-exhausted' });
});

test('a transfer that breaks off goes on where it stopped, also without Range support', async () => {
  await using registry = await FakeRegistry.start();
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
  registry.addBlob(content);
  const reference = parseReference(`${registry.host}/a`);
  for (const ignoresRange of [false, true]) {
    registry.seen.length = 0;
    registry.fault((request, response, count) => {
      if (count === 1) {
        response.writeHead(200, { 'content-length': content.length });
        response.write(content.subarray(0, 100_000), () => response.destroy());
        return true;
      }
      if (ignoresRange) request.headers.range = undefined;
      return false;
    });
    const bytes = await readAll(fetchBlob(newClient(), reference, layerOf(content)));
    assert.ok(bytes.equals(content));
    assert.equal(registry.requests('GET', '/blobs/').length, 2);
  }
});

test('a dead mirror and a mirror with wrong bytes give way to the registry', async () => {
  await using registry = await FakeRegistry.start();
  await using mirror = await FakeRegistry.start();
  const { digest } = registry.addImage('a', '1');
  mirror.addImage('a', '1', 'wrong');
  const wrong = mirror.manifests.get('a/1');
  if (wrong) mirror.manifests.set(`a/${digest}`, wrong);
  const hosts = createRegistryHosts({
    registries: { [registry.host]: { mirrors: ['http://127.0.0.1:9', mirror.url] } },
  });
  const reference = parseReference(`${registry.host}/a@${digest}`);
  const found = await fetchManifest(newClient({ hosts, retry: { ...retry, attempts: 1 } }), reference);
  assert.equal(found.descriptor.digest, digest);
  assert.match(mirror.seen[0]?.path ?? '', /ns=127/);
});

test('unreachable hosts are told by their cause', async () => {
  const once = newClient({ retry: { ...retry, attempts: 1 } });
  await assert.rejects(resolveReference(once, parseReference('127.0.0.1:9/a')), /connection refused/);
  await using registry = await FakeRegistry.start();
  const hosts = createRegistryHosts({ registries: { [registry.host]: { tls: {} } } });
  const client = newClient({ hosts, retry: { ...retry, attempts: 1 } });
  await assert.rejects(resolveReference(client, parseReference(`${registry.host}/a`)), /does not speak TLS/);
});

test('an insecure registry without TLS is reached over plain HTTP', async () => {
  await using registry = await FakeRegistry.start();
  registry.addImage('a', '1');
  const hosts = createRegistryHosts({ insecureRegistries: ['127.0.0.0/8'] });
  const client = newClient({ hosts, retry: { ...retry, attempts: 1 } });
  await resolveReference(client, parseReference(`${registry.host}/a:1`));
});

test('a stalled registry is given up after as many tries as any other fault', async () => {
  await using registry = await FakeRegistry.start();
  registry.fault(() => true);
  let retries = 0;
  const transport = createHttpTransport({ stallMs: 50 });
  const client = newClient({ transport, retry: { ...retry, attempts: 2 }, onRetry: () => void retries++ });
  await assert.rejects(resolveReference(client, parseReference(`${registry.host}/a`)), { code: 'deadline-exceeded' });
  assert.equal(retries, 1);
});

test('an abort ends a transfer with its reason', async () => {
  await using registry = await FakeRegistry.start();
  registry.fault(() => true);
  const abort = new AbortController();
  const pending = resolveReference(newClient(), parseReference(`${registry.host}/a`), { signal: abort.signal });
  setImmediate(() => abort.abort(new Error('enough')));
  await assert.rejects(pending, /enough/);
});

test('blobs and manifests are pushed once; what is there is not sent again', async () => {
  await using registry = await FakeRegistry.start();
  const client = newClient();
  const reference = parseReference(`${registry.host}/x/y:1`);
  const content = Buffer.alloc(200_000, 7);
  const open = async function* (offset: number) {
    for (let at = offset; at < content.length; at += 64_000) yield content.subarray(at, at + 64_000);
  };
  assert.equal(await pushBlob(client, reference, layerOf(content), { open }), 'uploaded');
  assert.equal(await pushBlob(client, reference, layerOf(content), { open }), 'exists');
  const small = Buffer.from('small blob in chunks');
  const openSmall = async function* (offset: number) {
    yield small.subarray(offset);
  };
  assert.equal(await pushBlob(client, reference, layerOf(small), { open: openSmall, chunkSize: 7 }), 'uploaded');
  assert.equal(registry.requests('PATCH').length, 3);
  assert.deepEqual(registry.blobs.get(digestOf(small)), small);
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, layers: [] }));
  const pushed = await pushManifest(client, reference, { mediaType: mediaTypes.ociManifest, bytes });
  assert.equal(pushed.digest, digestOf(bytes));
  assert.ok(registry.manifests.has('x/y/1'));
});

test('a blob of another repository is mounted; a refused mount uploads', async () => {
  await using registry = await FakeRegistry.start();
  const reference = parseReference(`${registry.host}/x:1`);
  registry.addBlob('shared');
  registry.fault((request, response) => {
    if (request.method !== 'HEAD') return false;
    answerJson(response, 404, {});
    return true;
  });
  const open = async function* (offset: number) {
    yield Buffer.from('shared').subarray(offset);
  };
  const push = () => pushBlob(newClient(), reference, layerOf('shared'), { open, mountFrom: ['other'] });
  assert.equal(await push(), 'mounted');
  registry.blobs.clear();
  assert.equal(await push(), 'uploaded');
  assert.equal(registry.requests('POST').length, 2);
});

test('an upload that breaks or whose session is lost starts over', async () => {
  await using registry = await FakeRegistry.start();
  const reference = parseReference(`${registry.host}/x:1`);
  const open = async function* (offset: number) {
    yield Buffer.from('content').subarray(offset);
  };
  let puts = 0;
  registry.fault((request, response) => {
    if (request.method !== 'PUT' || ++puts > 3) return false;
    if (puts === 1) response.destroy();
    else answerJson(response, puts === 2 ? 404 : 503, { errors: [{ code: 'BLOB_UPLOAD_UNKNOWN' }] });
    return true;
  });
  assert.equal(await pushBlob(newClient(), reference, layerOf('content'), { open }), 'uploaded');
  assert.equal(puts, 4);
});

test('a manifest that came before its blobs were visible is put again', async () => {
  await using registry = await FakeRegistry.start();
  registry.fault((_, response, count) => {
    if (count > 2) return false;
    answerJson(response, 400, { errors: [{ code: 'MANIFEST_BLOB_UNKNOWN', message: 'blob unknown' }] });
    return true;
  });
  const manifest = { mediaType: mediaTypes.ociManifest, bytes: Buffer.from('{}') };
  await pushManifest(newClient(), parseReference(`${registry.host}/x:1`), manifest);
  assert.equal(registry.seen.length, 3);
});

test('F13: a registry cannot send control characters to the terminal', async () => {
  await using registry = await FakeRegistry.start();
  registry.fault((_, response) => {
    answerJson(response, 403, { errors: [{ code: 'DENIED', message: '\u001b[2Jgone\n\u202e' }] });
    return true;
  });
  const error = await fetchManifest(newClient(), parseReference(`${registry.host}/x:1`)).catch((e) => e);
  assert.match(error.message, /DENIED: \[2Jgone$/);
});
