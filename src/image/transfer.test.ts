import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Digest, digestOf } from '../base/digest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { parsePlatform } from '../oci/platform.ts';
import { parseReference } from '../oci/reference.ts';
import { FakeRegistry } from '../registry/fake-registry.ts';
import { fetchImageMetadata } from './fetch-metadata.ts';
import { findImage } from './find-image.ts';
import { ImageFixture, plainArchiver } from './image-fixture.ts';
import { registryImage } from './image-origin.ts';
import { pullImage } from './pull.ts';
import { pushImage } from './push.ts';
import { resolveImage } from './resolve-image.ts';

/** A gzip-compressed image of several layers in a registry. */
function addRemote(
  registry: FakeRegistry,
  repository: string,
  tag: string,
  layers: readonly string[],
  diffIds = layers.map((each) => digestOf(each)),
) {
  const blobs = layers.map((each) => ({ mediaType: mediaTypes.ociLayerGzip, ...registry.addBlob(gzipSync(each)) }));
  const config = registry.addBlob(
    JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { diff_ids: diffIds } }),
  );
  const digest = registry.addManifest(repository, tag, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, ...config },
    layers: blobs,
  });
  return { digest, blobs };
}

test('a pull names the image by tag and digest, and a second one fetches nothing', async () => {
  await using registry = await FakeRegistry.start();
  using fixture = new ImageFixture();
  addRemote(registry, 'a', '1', ['one', 'two']);
  const reference = parseReference(`${registry.host}/a:1`);
  const states: string[] = [];
  const pulled = await pullImage(fixture, reference, { onProgress: ({ state }) => states.push(state) });
  assert.equal(pulled.stack.length, 2);
  assert.equal(pulled.isNew, true);
  assert.ok(states.includes('fetching') && states.at(-1) === 'unpacked');
  const { record } = findImage(fixture.images, `${registry.host}/a:1`);
  assert.deepEqual(record.digests, [`${registry.host}/a@${pulled.image.target.digest}`]);
  const before = registry.requests('GET').length;
  assert.equal((await pullImage(fixture, reference)).isNew, false);
  assert.equal(registry.requests('GET').length, before);
});

test('metadata alone fetches no layer; concurrent unpacks share their work', async () => {
  await using registry = await FakeRegistry.start();
  using fixture = new ImageFixture();
  const { blobs } = addRemote(registry, 'a', '1', ['one', 'two']);
  const reference = parseReference(`${registry.host}/a:1`);
  using image = await fetchImageMetadata(fixture.content, registryImage(fixture.client, fixture.content, reference));
  const layerRequests = () =>
    registry.seen.filter(({ path }) => blobs.some(({ digest }) => path.includes(digest))).length;
  assert.equal(layerRequests(), 0);
  assert.equal(fixture.unpacker.findUnpacked(image), undefined);
  plainArchiver.applied = 0;
  const all = await Promise.all([1, 2, 3].map(() => fixture.unpacker.ensureUnpacked(image, { origin: image.origin })));
  assert.equal(layerRequests(), 2);
  assert.equal(plainArchiver.applied, 2);
  assert.deepEqual(fixture.unpacker.findUnpacked(image), all[0]?.stack);
  for (const each of all) each[Symbol.dispose]();
});

test('one who gives up leaves the other unpack going', async () => {
  await using registry = await FakeRegistry.start();
  using fixture = new ImageFixture();
  addRemote(registry, 'a', '1', ['one']);
  const reference = parseReference(`${registry.host}/a:1`);
  using image = await fetchImageMetadata(fixture.content, registryImage(fixture.client, fixture.content, reference));
  const abort = new AbortController();
  const given = fixture.unpacker.ensureUnpacked(image, { origin: image.origin, signal: abort.signal });
  const kept = fixture.unpacker.ensureUnpacked(image, { origin: image.origin });
  abort.abort(new Error('not for me'));
  await assert.rejects(given, /not for me/);
  using unpacked = await kept;
  assert.equal(unpacked.stack.length, 1);
});

test('A19: a layer that is not what the config says is refused and leaves nothing behind', async () => {
  await using registry = await FakeRegistry.start();
  using fixture = new ImageFixture();
  addRemote(registry, 'a', '1', ['one'], [digestOf('other')]);
  addRemote(registry, 'a', '2', ['one', 'two'], [digestOf('one')]);
  await assert.rejects(pullImage(fixture, parseReference(`${registry.host}/a:1`)), /has diffID/);
  await assert.rejects(pullImage(fixture, parseReference(`${registry.host}/a:2`)), /2 layers but 1 diffIDs/);
  assert.deepEqual(fixture.images.list(), []);
  assert.deepEqual(fixture.snapshots.list(), []);
});

test('A20: a truncated layer is refused by name', async () => {
  await using registry = await FakeRegistry.start();
  using fixture = new ImageFixture();
  const { blobs } = addRemote(registry, 'a', '1', ['one']);
  const digest = blobs[0]?.digest ?? '';
  registry.blobs.set(digest, registry.blobs.get(digest)?.subarray(1) ?? Buffer.alloc(0));
  await assert.rejects(pullImage(fixture, parseReference(`${registry.host}/a:1`)), new RegExp(digest));
});

test('E12: foreign layers are not fetched from their urls', async () => {
  await using registry = await FakeRegistry.start();
  using fixture = new ImageFixture();
  const config = registry.addBlob(
    JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { diff_ids: [digestOf('x')] } }),
  );
  const mediaType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
  registry.addManifest('a', '1', {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, ...config },
    layers: [{ mediaType, digest: digestOf('x'), size: 1, urls: [`${registry.url}/elsewhere`] }],
  });
  await assert.rejects(pullImage(fixture, parseReference(`${registry.host}/a:1`)), /outside registries/);
  assert.equal(registry.requests('GET', 'elsewhere').length, 0);
});

test('a platform is chosen from an index; a missing one says what there is', async () => {
  await using registry = await FakeRegistry.start();
  using fixture = new ImageFixture();
  const { digest } = addRemote(registry, 'a', '1', ['one']);
  const size = registry.manifests.get(`a/${digest}`)?.bytes.length ?? 0;
  const platform = { os: 'linux', architecture: 'riscv64' };
  const manifests = [{ mediaType: mediaTypes.ociManifest, digest, size, platform }];
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  const indexDigest = registry.addManifest('a', 'multi', index, mediaTypes.ociIndex);
  const reference = parseReference(`${registry.host}/a:multi`);
  const pulled = await pullImage(fixture, reference, { platform: parsePlatform('linux/riscv64') });
  assert.equal(pulled.image.target.digest, indexDigest);
  assert.equal(pulled.image.descriptor.digest, digest);
  await assert.rejects(
    pullImage(fixture, reference, { platform: parsePlatform('linux/s390x') }),
    /made for linux\/riscv64/,
  );
});

test('E9: an index that names itself by depth is refused', async () => {
  await using registry = await FakeRegistry.start();
  using fixture = new ImageFixture();
  const platform = { os: 'linux', architecture: 'amd64' };
  let inner = addRemote(registry, 'a', '0', ['one']).digest;
  let mediaType: string = mediaTypes.ociManifest;
  for (let depth = 1; depth <= 6; depth++) {
    const size = registry.manifests.get(`a/${inner}`)?.bytes.length ?? 0;
    const manifests = [{ mediaType, digest: inner, size, platform }];
    mediaType = mediaTypes.ociIndex;
    inner = registry.addManifest('a', String(depth), { schemaVersion: 2, mediaType, manifests }, mediaType);
  }
  await assert.rejects(pullImage(fixture, parseReference(`${registry.host}/a:6`)), /nest deeper/);
});

test('a built image becomes compressed blobs when pushed, once, and the same as pulled again', async () => {
  await using registry = await FakeRegistry.start();
  using fixture = new ImageFixture();
  const name = `${registry.host}/x/app:1`;
  const target = fixture.addBuilt(name, ['one', 'two']);
  const pushed = await pushImage(fixture, parseReference(name));
  assert.notEqual(pushed.digest, target.digest);
  assert.ok(registry.blobs.has(digestOf(gzipSync('one'))));
  assert.deepEqual(
    findImage(fixture.images, `${registry.host}/x/app@${pushed.digest}`).record.target.digest,
    target.digest,
  );
  const uploads = registry.requests('POST').length;
  assert.deepEqual(await pushImage(fixture, parseReference(name)), pushed);
  assert.equal(registry.requests('POST').length, uploads);
  using other = new ImageFixture();
  const pulled = await pullImage(other, parseReference(name));
  assert.equal(findImage(other.images, name).record.id, findImage(fixture.images, name).record.id);
  assert.equal(pulled.stack.length, 2);
});

test('a multi-platform image is pushed whole, attestations renamed with their images', async () => {
  await using registry = await FakeRegistry.start();
  using fixture = new ImageFixture();
  const amd = fixture.addBuilt(undefined, ['one']);
  const arm = fixture.addBuilt(undefined, ['two'], { architecture: 'arm64' });
  const statement = fixture.content.writeSmall('{"_type":"statement"}');
  const plain = fixture.addManifest([], { os: 'unknown', architecture: 'unknown' });
  const document = JSON.parse(Buffer.from(fixture.content.readSmall(plain.digest)).toString());
  document.layers = [{ mediaType: mediaTypes.inToto, ...statement }];
  const annotations = {
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': amd.digest,
  };
  const blob = fixture.content.writeSmall(JSON.stringify(document));
  const attestation = {
    mediaType: mediaTypes.ociManifest,
    ...blob,
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations,
  };
  const index = fixture.addIndex([amd, arm, attestation]);
  const name = `${registry.host}/multi:1`;
  fixture.images.put(index, [parseReference(name)]);
  const pushed = await pushImage(fixture, parseReference(name));
  const stored = JSON.parse(registry.manifests.get('multi/1')?.bytes.toString() ?? '');
  assert.equal(pushed.mediaType, mediaTypes.ociIndex);
  assert.equal(stored.manifests.length, 3);
  assert.equal(stored.manifests[2].annotations['vnd.docker.reference.digest'], stored.manifests[0].digest);
  assert.notEqual(stored.manifests[0].digest, amd.digest);
  assert.ok(registry.blobs.has(statement.digest));
});

test('pushing a name that is not here says the way out', async () => {
  using fixture = new ImageFixture();
  await assert.rejects(pushImage(fixture, parseReference('nobody/x')), { code: 'not-found', hint: /slipway tag/ });
});

test('an image to build on is taken from here, unless the registry is to be asked', async () => {
  await using registry = await FakeRegistry.start();
  using fixture = new ImageFixture();
  const { digest } = addRemote(registry, 'a', '1', ['remote']);
  const name = `${registry.host}/a:1`;
  const local = fixture.addBuilt(name, ['local'], { architecture: 'amd64' });
  const platform = parsePlatform('linux/amd64');
  const resolve = async (mode: 'default' | 'local' | 'pull', text = name) => {
    using image = await resolveImage(fixture, parseReference(text), { mode, platform });
    using unpacked = await fixture.unpacker.ensureUnpacked(image, { origin: image.origin });
    assert.equal(unpacked.stack.length, 1);
    return image.target.digest;
  };
  assert.equal(await resolve('default'), local.digest);
  assert.equal(await resolve('local'), local.digest);
  assert.equal(registry.seen.length, 0);
  assert.equal(await resolve('pull'), digest);
  assert.equal(await resolve('default', `${registry.host}/a@${digest}`), digest);
  await assert.rejects(resolve('local', `${registry.host}/none`), { code: 'not-found' });
});

test('C1: what went bad on disk is fetched anew', async () => {
  await using registry = await FakeRegistry.start();
  using fixture = new ImageFixture();
  const { digest, blobs } = addRemote(registry, 'a', '1', ['one']);
  const reference = parseReference(`${registry.host}/a:1`);
  await fixture.content.write(registryImage(fixture.client, fixture.content, reference).open(layerOf(blobs)));
  writeFileSync(fixture.content.path(layerOf(blobs).digest), gzipSync('bad'));
  await assert.rejects(pullImage(fixture, reference), { code: 'data-loss' });
  writeFileSync(fixture.content.path(digest), 'x');
  assert.equal((await pullImage(fixture, reference)).stack.length, 1);
});

function layerOf(blobs: readonly { readonly digest: Digest; readonly size: number; readonly mediaType: string }[]) {
  const [blob] = blobs;
  assert.ok(blob);
  return blob;
}
