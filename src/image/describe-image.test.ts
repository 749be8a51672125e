import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../base/digest.ts';
import { imageHistory, imageSize } from './describe-image.ts';
import { fetchImageMetadata } from './fetch-metadata.ts';
import { readImage } from './image-content.ts';
import { ImageFixture } from './image-fixture.ts';
import { layerUsage } from './layer-usage.ts';
import { layoutImage } from './layout-origin.ts';

test('a history that fits, one with too few and one with too many entries all read (CVE-2024-36620)', () => {
  using fixture = new ImageFixture();
  const image = readImage(fixture.content, fixture.addManifest(['one', 'three']));
  const read = (history: object[] | undefined) =>
    imageHistory(fixture.snapshots, { ...image, config: { ...image.config, ...(history ? { history } : {}) } }).map(
      ({ created_by, size }) => [created_by, size],
    );
  const [run, env] = [{ created_by: 'RUN' }, { created_by: 'ENV', empty_layer: true }];
  assert.deepEqual(read([run, env, run]), [
    ['RUN', 5],
    ['ENV', 0],
    ['RUN', 3],
  ]);
  assert.deepEqual(read(undefined), [
    [undefined, 5],
    [undefined, 3],
  ]);
  assert.deepEqual(read([run]), [
    [undefined, 5],
    ['RUN', 3],
  ]);
  assert.deepEqual(read([run, run, run]), [
    ['RUN', 0],
    ['RUN', 5],
    ['RUN', 3],
  ]);
});

test('the size is that of the files once they are unpacked', () => {
  using fixture = new ImageFixture();
  const target = fixture.addBuilt('a', ['x'.repeat(5000)]);
  const image = readImage(fixture.content, target);
  const size = imageSize(fixture.snapshots, image);
  assert.ok(size >= 5000 && size < 100_000);
});

test('layers that images share are counted once, and as shared in each', () => {
  using fixture = new ImageFixture();
  const images = [['base', 'one'], ['base', 'three'], ['other']].map((layers) => [
    readImage(fixture.content, fixture.addManifest(layers)),
  ]);
  assert.deepEqual(layerUsage(fixture.snapshots, images), { total: 4 + 3 + 5 + 5, shared: [4, 4, 0] });
});

test('an image of a layout that somebody serves is fetched and checked', async () => {
  using source = new ImageFixture();
  using fixture = new ImageFixture();
  const target = source.addManifest(['one']);
  const layout = layoutImage('oci-layout://x', target.digest, (digest, signal) =>
    digest === digestOf('one') ? blobOf('one') : source.content.read(digest, signal ? { signal } : {}),
  );
  using image = await fetchImageMetadata(fixture.content, layout);
  using unpacked = await fixture.unpacker.ensureUnpacked(image, { origin: image.origin });
  assert.equal(unpacked.stack.length, 1);
  const wrong = layoutImage('oci-layout://x', target.digest, () => blobOf('junk'));
  await assert.rejects(wrong.resolve(), { code: 'data-loss' });
});

async function* blobOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
