import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { digestOf } from '../base/digest.ts';
import { SlipwayError } from '../base/errors.ts';
import { getXattr, listXattrs } from '../kernel/file-attributes.ts';
import { applyLayer, extractArchive } from './apply-layer.ts';
import { archiveOf, bytesOf, plainEntry } from './archive-fixture.ts';
import { encodeHeader, paddingOf } from './tar-header.ts';

const skip = process.getuid?.() === 0 ? false : 'owners and devices need root';

// What has broken unpackers before. Each must be refused or stay inside, as a layer and as ADD's archive; the canary is checked after each.
suite('hostile archives', { skip }, () => {
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
  const apply = (archive: Uint8Array) => applyLayer(bytesOf(archive), into, { parents: [] });

  const escapes: Record<string, { archive: () => Buffer; refused?: RegExp; check?: () => void }> = {
    'A1: dot-dot names (CVE-2026-28406, CVE-2018-15664, zip slip)': {
      archive: () => archiveOf({ name: '../outside/canary', content: 'dead' }),
      refused: /"\.\."/,
    },
    'A1: dot-dot in the middle': {
      archive: () => archiveOf({ name: 'a/../../outside/canary', content: 'dead' }),
      refused: /"\.\."/,
    },
    'A2: an absolute name stays below the root': {
      archive: () => archiveOf({ name: `${outside}/canary`, content: 'inside' }),
      check: () => assert.equal(readFileSync(join(into, outside, 'canary'), 'utf8'), 'inside'),
    },
    'A3: a symlink to the outside, then a file through it (CVE-2014-6407, CVE-2020-10696, CVE-2021-32610, CVE-2019-14271)':
      {
        archive: () =>
          archiveOf({ name: 'door', type: 'symlink', linkName: outside }, { name: 'door/canary', content: 'dead' }),
        refused: /symlink/,
      },
    'A3: a relative symlink that climbs': {
      archive: () =>
        archiveOf(
          { name: 'door', type: 'symlink', linkName: '../../../../../../../../tmp' },
          { name: 'door/x', content: 'dead' },
        ),
      refused: /symlink/,
    },
    'A4: a hard link to the outside (CVE-2026-23745, CVE-2026-50163, CVE-2021-43784)': {
      archive: () =>
        archiveOf({ name: 'hard', type: 'link', linkName: `${outside}/canary` }, { name: 'hard', content: 'dead' }),
      refused: /there is no/,
    },
    'A4: a hard link through a symlink': {
      archive: () =>
        archiveOf(
          { name: 'door', type: 'symlink', linkName: outside },
          { name: 'hard', type: 'link', linkName: 'door/canary' },
        ),
      refused: /symlink/,
    },
    'A3: a file over a symlink does not write through it': {
      archive: () =>
        archiveOf(
          { name: 'victim', type: 'symlink', linkName: `${outside}/canary` },
          { name: 'victim', content: 'inside' },
        ),
      check: () => assert.equal(readFileSync(join(into, 'victim'), 'utf8'), 'inside'),
    },
    'A6: a directory over a symlink does not change its target': {
      archive: () =>
        archiveOf(
          { name: 'victim', type: 'symlink', linkName: outside },
          { name: 'victim', type: 'directory', mode: 0o777 },
        ),
      check: () => assert.ok(lstatSync(join(into, 'victim')).isDirectory()),
    },
    'A8: a whiteout through a symlink': {
      archive: () => archiveOf({ name: 'door', type: 'symlink', linkName: outside }, { name: 'door/.wh.canary' }),
      refused: /symlink/,
    },
    'A14: an overlay attribute from outside': {
      archive: () =>
        archiveOf({
          name: 'dir',
          type: 'directory',
          mode: 0o755,
          xattrs: new Map([['trusted.overlay.redirect', Buffer.from('/etc')]]),
        }),
      check: () => assert.equal(getXattr(join(into, 'dir'), 'trusted.overlay.redirect'), undefined),
    },
    'A3: a directory that becomes a symlink between two members': {
      archive: () =>
        archiveOf(
          { name: 'd', type: 'directory', mode: 0o755 },
          { name: 'd/x', content: '1' },
          { name: 'd', type: 'symlink', linkName: outside },
          { name: 'd/canary', content: 'dead' },
        ),
      refused: /symlink/,
    },
    'A10: a directory known by two names that becomes a symlink (CVE-2021-37701)': {
      archive: () =>
        archiveOf(
          { name: 'real/sub/x', content: '1' },
          { name: 'alias', type: 'symlink', linkName: 'real' },
          { name: 'alias/sub/y', content: '2' },
          { name: 'real/sub', type: 'symlink', linkName: outside },
          { name: 'alias/sub/canary', content: 'dead' },
        ),
      refused: /symlink/,
    },
    'A6: times of a directory known by two names that becomes a symlink': {
      archive: () =>
        archiveOf(
          { name: 'real/sub/', type: 'directory', mode: 0o755 },
          { name: 'alias', type: 'symlink', linkName: 'real' },
          { name: 'alias/sub/deep/', type: 'directory', mode: 0o755, mtime: 1_000_000_000n },
          { name: 'real/sub', type: 'symlink', linkName: `${outside}/..` },
        ),
    },
    'A15: a path of a megabyte': {
      archive: () => archiveOf({ name: 'a/'.repeat(400_000), type: 'directory' }),
      refused: /more than 4096/,
    },
    'A15: a cut archive': {
      archive: () => archiveOf({ name: 'file', content: 'x'.repeat(2000) }).subarray(0, 1100),
      refused: /ends inside/,
    },
    'A21: junk': {
      archive: () => Buffer.from('not a tar archive at all'.repeat(100)),
      refused: /cannot read the tar archive/,
    },
    'A15: a negative size': {
      archive: () => Buffer.concat([rawSize(-1n), Buffer.alloc(1024)]),
      refused: /negative|checksum|large/,
    },
    'A23: a NUL inside a name': {
      archive: () => archiveOf({ name: `${'long/'.repeat(40)}a\0b`, content: 'x' }),
      refused: /NUL/,
    },
    'A4: a hard link that climbs': {
      archive: () =>
        archiveOf({ name: 'hard', type: 'link', linkName: '../outside/canary' }, { name: 'hard', content: 'dead' }),
      refused: /"\.\."/,
    },
    'A5: a hard link through two symlinks that lead out together': {
      archive: () =>
        archiveOf(
          { name: 'a/b/c/', type: 'directory', mode: 0o755 },
          { name: 'a/b/c/up', type: 'symlink', linkName: '../..' },
          { name: 'a/b/escape', type: 'symlink', linkName: 'c/up/../..' },
          { name: 'stolen', type: 'link', linkName: 'a/b/escape/outside/canary' },
          { name: 'stolen', content: 'dead' },
        ),
      refused: /symlink|there is no/,
    },
    'A6: mode and owner through a hard link to a symlink (CVE-2021-32760)': {
      archive: () =>
        archiveOf(
          { name: 'door', type: 'symlink', linkName: `${outside}/canary` },
          { name: 'door2', type: 'link', linkName: 'door' },
          { name: 'door2', type: 'link', linkName: 'door', mode: 0o4777, uid: 1234, gid: 1234 },
        ),
      check: () => {
        const { mode, uid } = lstatSync(join(outside, 'canary'));
        assert.deepEqual([mode & 0o7777, uid], [0o644, 0]);
      },
    },
    'A7: the root itself as a symlink (CVE-2021-29136)': {
      archive: () =>
        archiveOf({ name: './', type: 'symlink', linkName: outside }, { name: './canary', content: 'inside' }),
      check: () => {
        assert.ok(lstatSync(into).isDirectory());
        assert.equal(readFileSync(join(into, 'canary'), 'utf8'), 'inside');
      },
    },
    'A9: whiteouts without a name, of the directory itself, of its parent': {
      archive: () =>
        archiveOf({ name: 'd/x', content: 'x' }, { name: 'd/.wh.' }, { name: 'd/.wh..' }, { name: 'd/.wh...' }),
      check: () => assert.deepEqual(readdirSync(join(into, 'd')), ['x']),
    },
    'A9: a whiteout of a path, and all that lies below the root': {
      archive: () => archiveOf({ name: 'x', content: 'x' }, { name: '.wh.outside/canary' }, { name: '.wh..wh..opq' }),
      check: () => assert.deepEqual(readdirSync(into).toSorted(), ['.wh.outside', 'x']),
    },
    'A10: names that other file systems take for one, and backslashes (CVE-2021-37701, GHSA-qq89-hq3f-393p)': {
      archive: () =>
        archiveOf(
          { name: 'Case/a', content: '1' },
          { name: 'case', type: 'symlink', linkName: outside },
          { name: 'Case/canary', content: '2' },
          { name: 'caf\xc3\xa9/a', content: '3' },
          { name: 'cafe\xcc\x81', type: 'symlink', linkName: outside },
          { name: 'caf\xc3\xa9/canary', content: '4' },
          { name: '..\\outside\\canary', content: '5' },
        ),
      check: () => {
        assert.equal(readFileSync(join(into, 'Case/canary'), 'utf8'), '2');
        assert.equal(readFileSync(join(into, 'caf\u00e9/canary'), 'utf8'), '4');
        assert.equal(readFileSync(join(into, '..\\outside\\canary'), 'utf8'), '5');
      },
    },
    'A12: devices, fifos: made, never opened': {
      archive: () =>
        archiveOf(
          { name: 'disk', type: 'block', major: 8, minor: 0 },
          { name: 'pipe', type: 'fifo' },
          { name: 'pipe', content: 'in its place' },
        ),
      check: () => assert.equal(readFileSync(join(into, 'pipe'), 'utf8'), 'in its place'),
    },
    'A14: attributes that overlayfs would act on, of every name': {
      archive: () =>
        archiveOf({
          name: 'file',
          content: 'x',
          xattrs: new Map(
            ['trusted.overlay.metacopy', 'user.overlay.redirect', 'trusted.overlay.opaque'].map((name) => [
              name,
              Buffer.from('y'),
            ]),
          ),
        }),
      check: () =>
        assert.deepEqual(
          listXattrs(join(into, 'file')).filter((name) => name.includes('overlay')),
          [],
        ),
    },
    'A15: a bad checksum': {
      archive: () => {
        const archive = archiveOf({ name: 'file', content: 'x' });
        archive.write('9', 150);
        return archive;
      },
      refused: /checksum|cannot read the tar archive/,
    },
    'A15: a size beyond what numbers hold': {
      archive: () => Buffer.concat([rawSize(2n ** 63n - 1n), Buffer.alloc(1024)]),
      refused: /large|size/,
    },
    'A15: what pax says of size and name goes before the header’s own': {
      archive: () =>
        Buffer.concat([
          paxHeader('12 path=abc\n', '10 size=3\n'),
          encodeHeader({ ...plainEntry, name: '../outside/canary', size: 1000 }),
          archiveOf().fill('dead', 0, 3).subarray(0, 512),
          archiveOf({ name: 'next', content: 'x' }),
        ]),
      check: () => assert.deepEqual(readdirSync(into), ['abc', 'next']),
    },
    'A15: a pax size below zero, or of a thousand digits': {
      archive: () =>
        Buffer.concat([paxHeader(`1010 size=${'9'.repeat(999)}\n`), archiveOf({ name: 'x' }), archiveOf()]),
      refused: /as size/,
    },
    'A15: a pax record longer than its header': {
      archive: () => Buffer.concat([paxHeader('99999 path=abc\n'), archiveOf({ name: 'x' })]),
      refused: /wrong length/,
    },
    'A22: ten thousand directories deep': {
      archive: () => archiveOf({ name: 'd/'.repeat(10_000), type: 'directory' }),
      refused: /more than 4096/,
    },
    'A23: a newline and an escape sequence in a name': {
      archive: () => archiveOf({ name: 'a\nb\x1b[31m', content: 'x' }),
      check: () => assert.deepEqual(readdirSync(into), ['a\nb\x1b[31m']),
    },
  };
  for (const [name, { archive, refused, check }] of Object.entries(escapes)) {
    test(name, async () => {
      if (refused) await assert.rejects(apply(archive()), refused);
      else await apply(archive());
      check?.();
    });
    test(`${name}; by ADD`, async () => {
      // Whiteouts mean nothing there, and what is refused may differ; what is outside may not.
      const unpacked = extractArchive(bytesOf(archive()), into, {});
      await unpacked.catch((error: unknown) => assert.ok(error instanceof SlipwayError));
    });
  }

  test('A16: a decompression bomb stops at the limit', async () => {
    const bomb = gzipSync(archiveOf({ name: 'zeros', content: '\0'.repeat(2_000_000) }));
    const limits = { bytes: 1_000_000, entries: 100 };
    await assert.rejects(applyLayer(bytesOf(bomb), into, { parents: [], limits }), { code: 'resource-exhausted' });
    const many = archiveOf(...Array.from({ length: 101 }, (_, i) => ({ name: `${i}` })));
    await assert.rejects(applyLayer(bytesOf(many), into, { parents: [], limits }), { code: 'resource-exhausted' });
  });

  test('A3, A8: a symlink of one layer, and files, links and whiteouts through it in the next (CVE-2014-6407)', async () => {
    const below = join(directory, 'below');
    mkdirSync(below);
    const lower = archiveOf(
      { name: 'door', type: 'symlink', linkName: outside },
      { name: 'up', type: 'symlink', linkName: '../outside' },
    );
    await applyLayer(bytesOf(lower), below, { parents: [] });
    const upper = archiveOf(
      { name: 'door/canary', content: 'dead' },
      { name: 'up/canary', content: 'dead' },
      { name: 'door/deep/canary', content: 'dead' },
    );
    await applyLayer(bytesOf(upper), into, { parents: [below] });
    for (const hard of ['door/canary', 'up/canary']) {
      const stolen = archiveOf({ name: 'stolen', type: 'link', linkName: hard }, { name: 'stolen', content: 'dead' });
      const next = join(directory, `next-${hard.slice(0, 2)}`);
      mkdirSync(next);
      await assert.rejects(applyLayer(bytesOf(stolen), next, { parents: [below] }), /there is no/);
      await applyLayer(bytesOf(archiveOf({ name: hard.replace('/', '/.wh.') })), next, { parents: [below] });
    }
  });

  test('A13: setuid bits and capabilities are the file’s own, and nobody else’s who lies in its place before', async () => {
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    const archive = archiveOf(
      { name: 'set', mode: 0o4755, content: 'x', xattrs: new Map([['security.capability', capability]]) },
      { name: 'set', mode: 0o755, uid: 1000, content: 'y' },
      { name: 'kept', mode: 0o4755, uid: 1000, content: 'x', xattrs: new Map([['security.capability', capability]]) },
    );
    await apply(archive);
    assert.equal(lstatSync(join(into, 'set')).mode & 0o7777, 0o755);
    assert.equal(getXattr(join(into, 'set'), 'security.capability'), undefined);
    assert.equal(lstatSync(join(into, 'kept')).mode & 0o7777, 0o4755);
    assert.ok(getXattr(join(into, 'kept'), 'security.capability'));
  });

  test('A16: zstd bombs, endless zeros behind the end, a gzip header without an end', async () => {
    const limits = { bytes: 1_000_000, entries: 100 };
    const bomb = zstdCompressSync(archiveOf({ name: 'zeros', content: '\0'.repeat(2_000_000) }));
    async function* endless() {
      const zeros = Buffer.alloc(2 ** 24);
      for (;;) yield zeros;
    }
    for (const unpack of [
      (bytes: AsyncIterable<Uint8Array>) => applyLayer(bytes, into, { parents: [], limits }),
      (bytes: AsyncIterable<Uint8Array>) => extractArchive(bytes, into, { limits }),
    ]) {
      await assert.rejects(unpack(bytesOf(bomb)), { code: 'resource-exhausted' });
      await assert.rejects(unpack(endless()), { code: 'resource-exhausted' });
      const header = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]), Buffer.alloc(2 ** 22, 'x')]);
      await assert.rejects(unpack(bytesOf(header, 65_536)), { code: 'invalid-argument' });
    }
  });

  test('A23: a name that is not UTF-8 is kept byte for byte', async () => {
    await apply(archiveOf({ name: 'caf\xe9', content: 'x' }));
    assert.deepEqual(readdirSync(into, { encoding: 'buffer' }), [Buffer.from('caf\xe9', 'latin1')]);
  });

  test('A18: what lies behind the end of the archive counts for the digest', async () => {
    const whole = Buffer.concat([archiveOf({ name: 'a', content: 'x' }), Buffer.alloc(4096)]);
    const { diffId, tarSize } = await apply(whole);
    assert.deepEqual([diffId, tarSize], [digestOf(whole), whole.length]);
  });

  test('A18: two gzip members are one stream, and the digest covers both', async () => {
    const whole = archiveOf({ name: 'a', content: 'x' }, { name: 'b', content: 'y' });
    const { diffId } = await apply(Buffer.concat([gzipSync(whole.subarray(0, 700)), gzipSync(whole.subarray(700))]));
    assert.equal(diffId, digestOf(whole));
    assert.deepEqual(readdirSync(into), ['a', 'b']);
  });

  test('A21: what a layer is compressed with is told by its bytes', async () => {
    for (const [i, compress] of [gzipSync, zstdCompressSync, (bytes: Buffer) => bytes].entries()) {
      await apply(compress(archiveOf({ name: `${i}`, content: 'x' })));
      assert.equal(readFileSync(join(into, `${i}`), 'utf8'), 'x');
    }
  });

  test('A22: a directory of 20,000 files, and no more files than the limit', async () => {
    const archive = archiveOf(...Array.from({ length: 20_000 }, (_, i) => ({ name: `d/${i}` })));
    await apply(archive);
    assert.equal(readdirSync(join(into, 'd')).length, 20_000);
    const limits = { bytes: 1e9, entries: 10_000 };
    await assert.rejects(applyLayer(bytesOf(archive), into, { parents: [], limits }), { code: 'resource-exhausted' });
  });
});

/** A header whose size is written in base-256. */
function rawSize(size: bigint): Buffer {
  const block = encodeHeader({ ...plainEntry, name: 'x', size: 0 });
  block.fill(size < 0n ? 0xff : 0, 124, 136);
  block[124] = size < 0n ? 0xff : 0x80;
  block.writeBigInt64BE(size, 128);
  return summed(block);
}

/** What says more of the member after it. */
function paxHeader(...records: readonly string[]): Buffer {
  const body = Buffer.from(records.join(''));
  const block = encodeHeader({ ...plainEntry, name: 'pax', size: body.length });
  block.write('x', 156);
  return Buffer.concat([summed(block), body, Buffer.alloc(paddingOf(body.length))]);
}

function summed(block: Buffer): Buffer {
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
