import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../base/digest.ts';
import { formatManifest, parseManifest } from './manifest.ts';
import { mediaTypes } from './media-types.ts';

const config = { mediaType: mediaTypes.ociConfig, digest: digestOf('c'), size: 1 };
const layer = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf('l'), size: 2 };
const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value));
const good = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };

test('a manifest survives writing and reading, and its bytes do not depend on key order', () => {
  const manifest = parseManifest(bytesOf(good));
  assert.deepEqual(manifest, { kind: 'manifest', mediaType: mediaTypes.ociManifest, config, layers: [layer] });
  const bytes = formatManifest(manifest);
  assert.deepEqual(parseManifest(bytes), manifest);
  const { layers, ...rest } = good;
  assert.deepEqual(formatManifest(parseManifest(bytesOf({ layers, ...rest }))), bytes);
});

test('a document without mediaType takes the announced type', () => {
  const { mediaType: _, ...bare } = good;
  assert.equal(parseManifest(bytesOf(bare), mediaTypes.dockerManifest).mediaType, mediaTypes.dockerManifest);
  assert.equal(parseManifest(bytesOf({ schemaVersion: 2, manifests: [] })).kind, 'index');
});

test('CVE-2021-41190: a document that is both manifest and index is refused', () => {
  assert.throws(() => parseManifest(bytesOf({ ...good, manifests: [] })), /ambiguous/);
  assert.throws(() => parseManifest(bytesOf({ ...good, mediaType: mediaTypes.ociIndex, manifests: [] })), /ambiguous/);
  assert.throws(() => parseManifest(bytesOf(good), mediaTypes.ociIndex), /announced as/);
});

test('E7: schema 1 is refused with the way out', () => {
  assert.throws(() => parseManifest(bytesOf({ schemaVersion: 1, name: 'x' })), /schema 1/);
});

test('E8: digests that are no sha256 digests are refused (CVE-2024-3727)', () => {
  const hex = 'a'.repeat(64);
  for (const digest of [
    'sha256:../../x',
    'sha256:ab',
    `sha256:${'A'.repeat(64)}`,
    `md5:${hex}`,
    `sha512:${hex}${hex}`,
    '',
  ]) {
    assert.throws(() => parseManifest(bytesOf({ ...good, layers: [{ ...layer, digest }] })), /sha256/, digest);
  }
});

test('sizes must be whole numbers of bytes', () => {
  for (const size of [-1, 1.5, 2 ** 53 + 2, '5', null, undefined]) {
    assert.throws(() => parseManifest(bytesOf({ ...good, config: { ...config, size } })), { code: 'invalid-argument' });
  }
});

test('E9: huge, deep and crowded documents are refused (CVE-2023-25656)', () => {
  assert.throws(() => parseManifest(Buffer.alloc(5 << 20, 0x20)), { code: 'resource-exhausted' });
  assert.throws(() => parseManifest(Buffer.from('{"a":'.repeat(100_000))), /deeper/);
  const crowd = Array.from({ length: 10_001 }, () => layer);
  assert.throws(() => parseManifest(bytesOf({ ...good, layers: crowd })), /limit|10001/);
});

test('E11: an HTML page is called by its name', () => {
  assert.throws(() => parseManifest(Buffer.from('<!DOCTYPE html><html>')), /HTML/);
});

test('junk is refused without a crash', () => {
  for (const text of [
    '',
    'null',
    '[]',
    '1',
    '"x"',
    '{',
    '\ufeff{}',
    '{"schemaVersion":2,"layers":{}}',
    '{"schemaVersion":2}',
  ]) {
    assert.throws(() => parseManifest(Buffer.from(text)), { code: 'invalid-argument' }, text);
  }
  assert.throws(() => parseManifest(Buffer.from([0x7b, 0xff, 0x7d])), { code: 'invalid-argument' });
});

test('keys named after prototype members stay data', () => {
  const text = `{"schemaVersion":2,"config":${JSON.stringify(config)},"layers":[],"annotations":{"__proto__":"a","constructor":"b"}}`;
  const manifest = parseManifest(Buffer.from(text));
  assert.deepEqual(Object.keys(manifest.annotations ?? {}), ['__proto__', 'constructor']);
  assert.equal(Object.getPrototypeOf(manifest.annotations), Object.prototype);
  assert.match(Buffer.from(formatManifest(manifest)).toString(), /"__proto__":"a"/);
});
