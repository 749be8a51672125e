import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Digest, digestHex } from '../base/digest.ts';
import { parsePlatform } from '../oci/platform.ts';
import { parseReference } from '../oci/reference.ts';
import type { LayerId } from '../snapshot/snapshots.ts';
import { markImages } from './collect.ts';
import { findImage, findImageIfAny, manifestFor } from './find-image.ts';
import { readImage } from './image-content.ts';
import { ImageFixture } from './image-fixture.ts';
import { pruneImages } from './prune-images.ts';
import { removeImage } from './remove-image.ts';

test('an image is found by every form of its name, its id and its digests', () => {
  using fixture = new ImageFixture();
  const target = fixture.addBuilt('app:1', ['a']);
  fixture.images.tag(target.digest, parseReference('app'));
  const { id } = findImage(fixture.images, 'app:1').record;
  const hex = digestHex(id);
  const texts = [
    'app',
    'app:latest',
    'docker.io/library/app:1',
    id,
    hex,
    hex.slice(0, 12),
    `sha256:${hex.slice(0, 8)}`,
  ];
  for (const text of [...texts, target.digest, digestHex(target.digest).slice(0, 10)]) {
    assert.equal(findImage(fixture.images, text).record.id, id, text);
  }
  assert.throws(() => findImage(fixture.images, 'app:2'), { code: 'not-found', message: 'No such image: app:2' });
  assert.throws(() => findImage(fixture.images, 'App:2'), { code: 'not-found' });
  assert.equal(findImageIfAny(fixture.images, ''), undefined);
  assert.deepEqual(findImage(fixture.images, 'app').record.tags, [
    'docker.io/library/app:1',
    'docker.io/library/app:latest',
  ]);
});

test('a name goes before an id, and a prefix that fits two images is refused', () => {
  using fixture = new ImageFixture();
  const seen = new Map<string, string>();
  for (let n = 0; n < 40; n++) {
    fixture.addBuilt(`app:${n}`, [`layer ${n}`]);
    const { id } = findImage(fixture.images, `app:${n}`).record;
    const first = digestHex(id).slice(0, 1);
    if (seen.has(first)) {
      assert.throws(() => findImage(fixture.images, first), /fits \d+ images/);
      fixture.addBuilt(first, ['named']);
      assert.deepEqual(findImage(fixture.images, first).record.tags, [`docker.io/library/${first}:latest`]);
      return;
    }
    seen.set(first, id);
  }
  assert.fail('no two ids begin alike');
});

test('a tag that moves leaves a dangling image behind and says so', () => {
  using fixture = new ImageFixture();
  const old = fixture.addBuilt('app', ['a']);
  const now = fixture.addManifest(['b']);
  const { moved } = fixture.images.put(now, [parseReference('app:latest')]);
  assert.deepEqual([...moved], [['docker.io/library/app:latest', old.digest]]);
  assert.deepEqual(fixture.images.get(old.digest)?.tags, []);
  assert.equal(fixture.images.list().length, 2);
});

test('the platforms of an index that are here can be chosen', () => {
  using fixture = new ImageFixture();
  const amd = fixture.addManifest(['a']);
  const arm = fixture.addManifest(['b'], { architecture: 'arm64' });
  const absent = { ...fixture.addManifest(['c'], { architecture: 's390x' }) };
  fixture.content.remove(absent.digest);
  fixture.images.put(fixture.addIndex([amd, arm, absent]), [parseReference('multi')]);
  const { record } = findImage(fixture.images, 'multi');
  assert.equal(record.manifests.length, 2);
  assert.equal(manifestFor(record, parsePlatform('linux/arm64')).descriptor.digest, arm.digest);
  assert.equal(findImage(fixture.images, record.manifests[1]?.config ?? '').record.target.digest, record.target.digest);
  assert.throws(() => manifestFor(record, parsePlatform('linux/s390x')), /here for linux\/amd64, linux\/arm64/);
});

test("removing by name follows docker's rules", () => {
  using fixture = new ImageFixture();
  const target = fixture.addBuilt('app:1', ['a']);
  fixture.images.tag(target.digest, parseReference('app:2'));
  fixture.images.tag(target.digest, parseReference(`app@${target.digest}`));
  const { id } = findImage(fixture.images, 'app:1').record;
  const usersOf = () => [{ id: 'abc', running: false }];
  assert.deepEqual(removeImage(fixture.images, 'app:1'), [{ Untagged: 'app:1' }]);
  assert.throws(() => removeImage(fixture.images, 'app:2', { usersOf }), {
    code: 'failed-precondition',
    message: /\(must force\) - container abc/,
  });
  assert.deepEqual(removeImage(fixture.images, 'app:2'), [
    { Untagged: 'app:2' },
    { Untagged: `app@${target.digest}` },
    { Deleted: id },
  ]);
  assert.deepEqual(fixture.images.list(), []);
  assert.throws(() => removeImage(fixture.images, 'app:2'), { message: 'No such image: app:2' });
});

test("removing by id follows docker's rules", () => {
  using fixture = new ImageFixture();
  const target = fixture.addBuilt('app:1', ['a']);
  fixture.images.tag(target.digest, parseReference('other:1'));
  const { id } = findImage(fixture.images, 'app:1').record;
  assert.throws(() => removeImage(fixture.images, id), /referenced in multiple repositories/);
  const running = () => [{ id: 'abc', running: true }];
  assert.throws(() => removeImage(fixture.images, id, { force: true, usersOf: running }), /cannot be forced/);
  assert.equal(removeImage(fixture.images, id, { force: true }).length, 3);
});

test('a forced removal by name keeps the image that a container uses, without names', () => {
  using fixture = new ImageFixture();
  fixture.addBuilt('app:1', ['a']);
  const usersOf = () => [{ id: 'abc', running: true }];
  assert.deepEqual(removeImage(fixture.images, 'app:1', { force: true, usersOf }), [{ Untagged: 'app:1' }]);
  assert.deepEqual(fixture.images.list()[0]?.tags, []);
});

test('collection keeps what images need and nothing else', async () => {
  using fixture = new ImageFixture();
  fixture.addBuilt('kept', ['a', 'b']);
  fixture.addBuilt('gone', ['a', 'c']);
  removeImage(fixture.images, 'gone');
  fixture.content.writeSmall('orphan');
  const roots = { blobs: new Set<Digest>(), layers: new Set<LayerId>() };
  markImages(fixture, roots);
  fixture.content.collect(roots.blobs);
  await fixture.snapshots.collect(roots.layers);
  const { record } = findImage(fixture.images, 'kept');
  assert.equal(fixture.content.list().length, 2);
  assert.equal(fixture.snapshots.list().length, 2);
  assert.equal(record.manifests.length, 1);
});

test('pruning takes dangling images, with all also tagged ones, never one that a container uses', () => {
  using fixture = new ImageFixture();
  fixture.addBuilt('app', ['a']);
  fixture.addBuilt('app', ['b']);
  fixture.addBuilt('used', ['c']);
  const used = findImage(fixture.images, 'used').record.id;
  const usersOf = (id: string) => (id === used ? [{ id: 'abc', running: false }] : []);
  const tags = () => fixture.images.list().map((each) => each.tags.join());
  assert.equal(pruneImages(fixture.images, { usersOf }).length, 1);
  assert.deepEqual(tags(), ['docker.io/library/used:latest', 'docker.io/library/app:latest']);
  assert.deepEqual(pruneImages(fixture.images, { all: true, matches: () => false }), []);
  assert.equal(pruneImages(fixture.images, { all: true, usersOf }).length, 2);
  assert.deepEqual(tags(), ['docker.io/library/used:latest']);
});

test('after a restart everything that was stored is there', () => {
  using fixture = new ImageFixture();
  const target = fixture.addBuilt('app', ['a', 'b']);
  const { images, unpacker } = fixture.reopen();
  const { record } = findImage(images, 'app');
  assert.equal(record.target.digest, target.digest);
  assert.equal(unpacker.findUnpacked(readImage(fixture.content, target))?.length, 2);
});

test('C1, C4: a damaged or missing document hides its image only, and collection goes on', async () => {
  using fixture = new ImageFixture();
  const damaged = fixture.addBuilt('damaged', ['a']);
  const missing = fixture.addBuilt('missing', ['b']);
  const good = fixture.addBuilt('good', ['c']);
  writeFileSync(fixture.content.path(damaged.digest), 'x'.repeat(damaged.size));
  fixture.content.remove(missing.digest);
  assert.deepEqual(
    fixture.images.list().map((each) => each.target.digest),
    [good.digest],
  );
  assert.throws(() => findImage(fixture.images, 'damaged'), { code: 'not-found' });
  const roots = { blobs: new Set<Digest>(), layers: new Set<LayerId>() };
  markImages(fixture, roots);
  await fixture.snapshots.collect(roots.layers);
  assert.equal(findImage(fixture.images, 'good').record.target.digest, good.digest);
  assert.equal(fixture.snapshots.list().length, 1);
  fixture.addBuilt('damaged', ['d']);
  assert.equal(findImage(fixture.images, 'damaged').record.tags.length, 1);
});
