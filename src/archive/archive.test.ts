import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  createReadStream,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { digestOf } from '../base/digest.ts';
import { getXattr, makeNode, nodeTypes, setModificationTime, setXattr } from '../kernel/file-attributes.ts';
import { applyLayer, extractArchive } from './apply-layer.ts';
import { archiveOf, bytesOf } from './archive-fixture.ts';
import { digestLayer, writeLayerTar } from './layer-tar.ts';

const skip = process.getuid?.() === 0 ? false : 'owners and devices need root';

function tarOf(directory: string): Buffer {
  const parts: Buffer[] = [];
  writeLayerTar(directory, (chunk) => parts.push(Buffer.from(chunk)));
  return Buffer.concat(parts);
}

suite('archives', { skip }, () => {
  let directory: string;
  let outside: string;
  let into: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'archive-'));
    outside = join(directory, 'outside');
    into = join(directory, 'into');
    mkdirSync(outside);
    mkdirSync(into);
    writeFileSync(join(outside, 'canary'), 'alive');
  });
  afterEach(() => {
    assert.deepEqual(
      [readdirSync(outside), readFileSync(join(outside, 'canary'), 'utf8')],
      [['canary'], 'alive'],
      'nothing outside was touched',
    );
    rmSync(directory, { recursive: true });
  });
  const apply = (archive: Uint8Array, parents: string[] = []) => applyLayer(bytesOf(archive), into, { parents });

  /** A tree with everything that a layer can hold. */
  function richTree(): string {
    const tree = join(directory, 'tree');
    mkdirSync(join(tree, 'dir/sub'), { recursive: true });
    writeFileSync(join(tree, 'dir/file'), 'x'.repeat(3_000_000));
    writeFileSync(join(tree, 'setuid'), '');
    chmodSync(join(tree, 'setuid'), 0o4755);
    linkSync(join(tree, 'dir/file'), join(tree, 'dir/hard'));
    symlinkSync('../somewhere', join(tree, 'link'));
    writeFileSync(Buffer.from(`${tree}/caf\xe9-not-utf8`, 'latin1'), 'bytes');
    writeFileSync(join(tree, 'ünïcode'), 'text');
    mkdirSync(join(tree, 'a'.repeat(120), 'b'.repeat(200)), { recursive: true });
    symlinkSync('t'.repeat(300), join(tree, 'far'));
    makeNode(join(tree, 'null'), nodeTypes.characterDevice | 0o666, 1, 3);
    makeNode(join(tree, 'pipe'), nodeTypes.fifo | 0o600);
    makeNode(join(tree, 'gone'), nodeTypes.characterDevice);
    setXattr(join(tree, 'dir'), 'trusted.overlay.opaque', Buffer.from('y'));
    setXattr(
      join(tree, 'setuid'),
      'security.capability',
      Buffer.from('0100000200200000000000000000000000000000', 'hex'),
    );
    setModificationTime(join(tree, 'dir/file'), 1_600_000_000_123_456_789n);
    setModificationTime(join(tree, 'link'), -1_500_000_000n);
    return tree;
  }

  test('a layer comes back byte for byte', async () => {
    const tree = richTree();
    const tar = tarOf(tree);
    const { diffId, tarSize } = await apply(tar);
    assert.deepEqual([diffId, tarSize], [digestOf(tar), tar.length]);
    assert.deepEqual(digestLayer(tree), { diffId, tarSize });
    assert.deepEqual(tarOf(into), tar);
    assert.equal(lstatSync(join(into, 'dir/hard')).ino, lstatSync(join(into, 'dir/file')).ino);
    assert.equal(lstatSync(join(into, 'dir/file'), { bigint: true }).mtimeNs, 1_600_000_000_000_000_000n);
    assert.equal(getXattr(join(into, 'dir'), 'trusted.overlay.opaque')?.toString(), 'y');
    assert.equal(lstatSync(join(into, 'gone')).rdev, 0);
  });

  test('GNU tar reads what we write', () => {
    const tar = join(directory, 'layer.tar');
    writeFileSync(tar, tarOf(richTree()));
    const listing = execFileSync('tar', ['-tvf', tar, '--numeric-owner', '--quoting-style=literal'], {
      encoding: 'latin1',
    });
    assert.match(listing, /-rwsr-xr-x 0\/0 .* setuid/);
    assert.match(listing, /dir\/hard link to dir\/file/);
    assert.match(listing, /\.wh\.gone/);
    assert.match(listing, new RegExp(`${'a'.repeat(120)}/${'b'.repeat(200)}/`));
  });

  test('we read what GNU tar writes, in each of its formats', async () => {
    const tree = richTree();
    rmSync(join(tree, 'gone'));
    for (const format of ['gnu', 'pax']) {
      rmSync(into, { recursive: true });
      mkdirSync(into);
      await apply(execFileSync('tar', ['-C', tree, `--format=${format}`, '-c', '.'], { maxBuffer: 1 << 26 }));
      assert.equal(readFileSync(join(into, 'dir/hard'), 'utf8').length, 3_000_000, format);
      assert.equal(readlinkSync(join(into, 'far')), 't'.repeat(300), format);
      assert.ok(existsSync(Buffer.from(`${into}/caf\xe9-not-utf8`, 'latin1')), format);
    }
  });

  test('compressed archives are told by their content', async () => {
    const tar = archiveOf({ name: 'file', content: 'hello' });
    const file = join(directory, 'x.tar');
    writeFileSync(file, tar);
    const programs = ['bzip2', 'xz'].filter((program) => spawnSync(program, ['--version']).status === 0);
    const packed = [
      tar,
      gzipSync(tar),
      zstdCompressSync(tar),
      ...programs.map((program) => execFileSync(program, ['-kc', file])),
    ];
    for (const archive of packed) {
      rmSync(join(into, 'file'), { force: true });
      assert.equal((await apply(archive)).diffId, digestOf(tar));
      assert.equal(readFileSync(join(into, 'file'), 'utf8'), 'hello');
    }
  });

  test('whiteouts hide what is below and replace what came before', async () => {
    await apply(
      archiveOf(
        { name: 'a/b', content: 'x' },
        { name: 'a/.wh.b' },
        { name: 'a/.wh..wh..opq' },
        { name: 'a/.wh.' },
        { name: 'a/.wh..' },
        { name: '.wh...' },
      ),
    );
    assert.deepEqual(readdirSync(into), ['a']);
    assert.deepEqual(readdirSync(join(into, 'a')), ['b']);
    assert.ok(lstatSync(join(into, 'a/b')).isCharacterDevice());
  });

  test('a parent that only a lower layer has keeps its mode and owner', async () => {
    const below = join(directory, 'below');
    mkdirSync(join(below, 'private'), { recursive: true });
    chmodSync(join(below, 'private'), 0o700);
    writeFileSync(join(below, 'private/old'), 'old');
    await apply(
      archiveOf(
        { name: 'private/new', content: 'new' },
        { name: 'private/link', type: 'link', linkName: 'private/old' },
      ),
      [below],
    );
    assert.equal(lstatSync(join(into, 'private')).mode & 0o777, 0o700);
    assert.equal(readFileSync(join(into, 'private/link'), 'utf8'), 'old');
  });

  test('a hard link never reads through a symlink of a lower layer (CVE-2026-26960)', async () => {
    const below = join(directory, 'below');
    mkdirSync(below);
    symlinkSync(outside, join(below, 'door'));
    const archive = archiveOf({ name: 'stolen', type: 'link', linkName: 'door/canary' });
    await assert.rejects(apply(archive, [below]), /there is no "door\/canary"/);
  });

  test('a whiteout followed by a directory of that name makes a new directory', async () => {
    await apply(
      archiveOf(
        { name: '.wh.dir' },
        { name: 'dir/', type: 'directory', mode: 0o755 },
        { name: '.wh.implied' },
        { name: 'implied/new', content: 'x' },
      ),
    );
    assert.equal(getXattr(join(into, 'dir'), 'trusted.overlay.opaque')?.toString(), 'y');
    assert.equal(getXattr(join(into, 'implied'), 'trusted.overlay.opaque')?.toString(), 'y');
  });

  test('an opaque root hides all that is below', async () => {
    const below = join(directory, 'below');
    mkdirSync(join(below, 'dir'), { recursive: true });
    writeFileSync(join(below, 'file'), '');
    await apply(archiveOf({ name: '.wh..wh..opq' }, { name: 'dir/new', content: 'x' }), [below]);
    assert.ok(lstatSync(join(into, 'file')).isCharacterDevice());
    assert.equal(getXattr(join(into, 'dir'), 'trusted.overlay.opaque')?.toString(), 'y');
    assert.deepEqual(readdirSync(into), ['dir', 'file']);
  });

  test('ADD: unpacks over what is there, whiteouts are plain files', async () => {
    writeFileSync(join(into, 'keep'), 'kept');
    const file = join(directory, 'add.tar.gz');
    writeFileSync(file, gzipSync(archiveOf({ name: 'new', content: 'n' }, { name: '.wh.keep' })));
    await extractArchive(createReadStream(file), into, { owner: { uid: 7, gid: 8 } });
    assert.deepEqual(readdirSync(into), ['.wh.keep', 'keep', 'new']);
    assert.deepEqual([lstatSync(join(into, 'new')).uid, lstatSync(join(into, 'new')).gid], [7, 8]);
  });
});
