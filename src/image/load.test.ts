import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { digestHex, digestOf } from '../base/digest.ts';
import { parseReference } from '../oci/reference.ts';
import { findImage } from './find-image.ts';
import { ImageFixture } from './image-fixture.ts';
import { loadImages } from './load.ts';
import { saveImages } from './save.ts';
import { type PackedFile, packTar } from './tar-stream.ts';

type Member = readonly [name: string, content: string | Buffer];

function pack(members: readonly Member[]): AsyncIterable<Uint8Array> {
  const files = members.map(([name, content]): PackedFile => {
    const bytes = Buffer.from(content);
    return { name, size: bytes.length, open: () => [bytes] };
  });
  return packTar([], files);
}

async function toBuffer(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(bytes));
}

async function* fromBuffer(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
}

const configOf = (...layers: string[]) =>
  JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { diff_ids: layers.map((each) => digestOf(each)) } });

/** An archive as docker wrote it before it knew OCI layouts. */
function oldArchive(config: string, layers: readonly string[], extra: object = {}): Member[] {
  const manifest = [
    { Config: 'config.json', RepoTags: ['app:1'], Layers: layers.map((_, at) => `${at}/layer.tar`), ...extra },
  ];
  return [
    ['config.json', config],
    ...layers.map((layer, at): Member => [`${at}/layer.tar`, layer]),
    ['manifest.json', JSON.stringify(manifest)],
    ['repositories', '{}'],
  ];
}

test('what was saved loads into another store as the same image, several at once', async () => {
  using fixture = new ImageFixture();
  const target = fixture.addBuilt('app:1', ['one', 'two']);
  fixture.images.tag(target.digest, parseReference('app:2'));
  fixture.addBuilt('ghcr.io/o/other', ['one', 'three']);
  const bytes = await toBuffer(saveImages(fixture, ['app:1', 'app:2', 'ghcr.io/o/other']));
  assert.deepEqual(await toBuffer(saveImages(fixture, ['app:1', 'app:2', 'ghcr.io/o/other'])), bytes);
  using other = new ImageFixture();
  const loaded = await loadImages(other, fromBuffer(gzipSync(bytes)));
  assert.deepEqual(
    loaded.map((each) => each.names),
    [['app:1', 'app:2'], ['ghcr.io/o/other:latest']],
  );
  assert.equal(findImage(other.images, 'app:2').record.target.digest, target.digest);
  assert.equal(findImage(other.images, 'app:2').record.id, findImage(fixture.images, 'app:1').record.id);
});

test('saving what is not there fails before the first byte', () => {
  using fixture = new ImageFixture();
  assert.throws(() => saveImages(fixture, ['none']), { code: 'not-found' });
});

test('an image saved by id has no name', async () => {
  using fixture = new ImageFixture();
  fixture.addBuilt('app:1', ['one']);
  const { id } = findImage(fixture.images, 'app:1').record;
  const bytes = await toBuffer(saveImages(fixture, [id]));
  using other = new ImageFixture();
  const [loaded] = await loadImages(other, fromBuffer(bytes));
  assert.deepEqual([loaded?.id, loaded?.names], [id, []]);
});

test("docker's old archives load, links between layers included", async () => {
  using fixture = new ImageFixture();
  const [loaded] = await loadImages(fixture, pack(oldArchive(configOf('one', 'two'), ['one', 'two'])));
  assert.deepEqual(loaded?.names, ['app:1']);
  assert.equal(loaded?.id, digestOf(configOf('one', 'two')));
  assert.equal(findImage(fixture.images, 'app:1').record.manifests.length, 1);
});

test('skopeo reads what is saved, and what it writes is loaded', {
  skip: !existsSync('/usr/bin/skopeo') && 'no skopeo',
}, async () => {
  using fixture = new ImageFixture();
  const layer = Buffer.concat(await Array.fromAsync(packTar(['dir'], []))).toString('latin1');
  fixture.addBuilt('app:1', [layer]);
  const saved = join(fixture.directory, 'saved.tar');
  writeFileSync(saved, await toBuffer(saveImages(fixture, ['app:1'])));
  const inspect = execFileSync('skopeo', ['inspect', '--config', `docker-archive:${saved}:app:1`]);
  assert.deepEqual(JSON.parse(inspect.toString()).rootfs.diff_ids, [digestOf(layer)]);
  for (const kind of ['docker-archive', 'oci-archive']) {
    const copied = join(fixture.directory, `${kind}.tar`);
    execFileSync('skopeo', ['--insecure-policy', 'copy', '-q', `oci-archive:${saved}:1`, `${kind}:${copied}:copy:1`]);
    using other = new ImageFixture();
    const [loaded] = await loadImages(other, fromBuffer(readFileSync(copied)));
    assert.deepEqual(loaded?.names, ['copy:1'], kind);
  }
});

test('E13: hostile archives are refused by the name of the member (CVE-2014-9358, CVE-2023-25153)', async () => {
  using fixture = new ImageFixture();
  const blob = (name: string): Member => [`blobs/sha256/${name}`, 'x'];
  const good = configOf('one');
  const cases: [string, Member[], RegExp | object][] = [
    ['member path', [['../../etc/x', '1']], /"\.\.\/\.\.\/etc\/x" has a path that leads out/],
    ['absolute path', [['/etc/x', '1']], /leads out/],
    ['config path', oldArchive(good, ['one'], { Config: '../../etc/passwd' }), /names "..\/..\/etc\/passwd"/],
    ['layer path', oldArchive(good, ['one'], { Layers: ['/etc/passwd'] }), /names "\/etc\/passwd"/],
    ['odd name', oldArchive(good, ['one'], { RepoTags: ['../../x:1'] }), /invalid reference/],
    ['prototype', oldArchive(good, ['one'], { RepoTags: ['__proto__'] }), /invalid reference/],
    ['blob name', [blob('../../x')], /leads out/],
    ['blob digest', [blob('a'.repeat(64))], { code: 'data-loss' }],
    ['blob case', [blob('A'.repeat(64))], /not named by a digest/],
    ['layer count', oldArchive(configOf('one', 'two'), ['one']), /2 diffIDs, manifest.json 1 layers/],
    ['diffID', oldArchive(configOf('other'), ['one']), /has diffID/],
    ['no document', [['x', 'y']], /neither manifest.json nor index.json/],
    ['empty', [], /neither/],
    ['junk list', [['manifest.json', '{}']], /not a list/],
    ['null', [['manifest.json', '[null]']], /no "Config"/],
  ];
  for (const [title, members, want] of cases) await assert.rejects(loadImages(fixture, pack(members)), want, title);
  assert.deepEqual(fixture.images.list(), []);
  assert.equal(existsSync(join(fixture.directory, 'etc')), false);
});

test('E13: a huge document and a huge archive are refused', async () => {
  using fixture = new ImageFixture();
  const huge: Member[] = [['index.json', Buffer.alloc(9 << 20)]];
  await assert.rejects(loadImages(fixture, pack(huge)), { code: 'resource-exhausted' });
  await assert.rejects(
    loadImages(fixture, pack(oldArchive(configOf('one'), ['one'])), { limit: 10 }),
    /more than 10 bytes/,
  );
});

test('a truncated archive and one that is no tar are refused', async () => {
  using fixture = new ImageFixture();
  const bytes = await toBuffer(pack(oldArchive(configOf('one'), ['one'])));
  await assert.rejects(loadImages(fixture, fromBuffer(bytes.subarray(0, 700))), { code: 'invalid-argument' });
  await assert.rejects(loadImages(fixture, fromBuffer(Buffer.alloc(2000, 'x'))), { code: 'invalid-argument' });
});

test('E14: a load that takes a name away says so, or is refused (CVE-2026-50195)', async () => {
  using fixture = new ImageFixture();
  const before = fixture.addBuilt('app:1', ['old']);
  const archive = () => pack(oldArchive(configOf('one'), ['one']));
  await assert.rejects(loadImages(fixture, archive(), { noClobber: true }), { code: 'already-exists' });
  assert.equal(findImage(fixture.images, 'app:1').record.target.digest, before.digest);
  const [loaded] = await loadImages(fixture, archive());
  assert.deepEqual([...(loaded?.moved ?? [])], [['docker.io/library/app:1', before.digest]]);
});

test('a blob that is a link is refused', async () => {
  using fixture = new ImageFixture();
  const { encodeHeader } = await import('../archive/tar-header.ts');
  const header = (name: string, linkName: string) =>
    encodeHeader({
      name,
      linkName,
      type: 'symlink',
      mode: 0o777,
      uid: 0,
      gid: 0,
      size: 0,
      mtime: 0n,
      major: 0,
      minor: 0,
      xattrs: new Map(),
    });
  const name = `blobs/sha256/${digestHex(digestOf('x'))}`;
  await assert.rejects(loadImages(fixture, fromBuffer(header(name, '/etc/passwd'))), /is a link/);
  await assert.rejects(loadImages(fixture, fromBuffer(header('a/layer.tar', '../../etc/passwd'))), /points out of it/);
});

test('E15: an annotation that looks like a path is no name (CVE-2025-62725)', async () => {
  using fixture = new ImageFixture();
  const manifest = fixture.addManifest([]);
  const annotations = { 'org.opencontainers.image.ref.name': '../../x:1', 'org.opencontainers.image.title': '../../x' };
  const index = JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] });
  const blobs = fixture.content
    .list()
    .map(({ digest }): Member => [`blobs/sha256/${digestHex(digest)}`, Buffer.from(fixture.content.readSmall(digest))]);
  const archive = pack([['oci-layout', '{"imageLayoutVersion":"1.0.0"}'], ['index.json', index], ...blobs]);
  await assert.rejects(loadImages(fixture, archive), /invalid reference/);
});
