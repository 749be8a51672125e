import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { planMounts } from './mount-plan.ts';

suite('planMounts', () => {
  const bind = (...Binds: string[]) => planMounts({}, { Binds });
  const only = (...Binds: string[]) => {
    const [mount] = bind(...Binds);
    assert.ok(mount);
    return mount;
  };

  test('-v: a path is a directory of the host, a name a volume', () => {
    const { type, source, target, readOnly } = only('/host/../host/dir:/in/:ro');
    assert.deepEqual([type, source, target, readOnly], ['bind', '/host/dir', '/in', true]);
    assert.deepEqual([only('name:/in').type, only('name:/in').source], ['volume', 'name']);
    assert.equal(only('name:/in:nocopy,ro').noCopy, true);
    assert.equal(only('/a:/b:rslave').propagation, 'rslave');
  });

  test('what docker refuses is refused in its words', () => {
    assert.throws(() => bind('/a:b'), /invalid mount path: 'b' mount path must be absolute/);
    assert.throws(() => bind('/a:/'), /destination can't be '\/'/);
    assert.throws(() => bind('/a:/x/..'), /destination can't be '\/'/);
    assert.throws(() => bind('/a:/b:wild'), /invalid mode: wild/);
    assert.throws(() => bind('./a:/b'), /includes invalid characters for a local volume name/);
    assert.throws(() => bind('../../etc:/b'), /includes invalid characters/);
    assert.throws(() => bind('/a:/b', 'vol:/b/'), /Duplicate mount point: \/b/);
    assert.throws(() => bind('/a:/b:ro:x'), /invalid volume specification/);
  });

  test('--mount of each type', () => {
    const mounts = planMounts(
      {},
      {
        Mounts: [
          { Type: 'bind', Source: '/h', Target: '/b', ReadOnly: true },
          { Type: 'volume', Source: 'vol', Target: '/v', VolumeOptions: { NoCopy: true, Subpath: 'sub' } },
          { Type: 'volume', Target: '/anonymous' },
          { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1024, Mode: 0o700 } },
        ],
      },
    );
    assert.deepEqual(
      mounts.map(({ type, source, target, makeSource }) => [type, source, target, makeSource]),
      [
        ['bind', '/h', '/b', false],
        ['volume', 'vol', '/v', false],
        ['volume', '', '/anonymous', false],
        ['tmpfs', '', '/t', false],
      ],
    );
    assert.deepEqual([mounts[1]?.noCopy, mounts[1]?.subpath], [true, 'sub']);
    assert.deepEqual(mounts[3]?.options, ['noexec', 'nosuid', 'nodev', 'size=1024', 'mode=700']);
    assert.throws(() => planMounts({}, { Mounts: [{ Type: 'npipe', Target: '/x' }] }), /npipe/);
    assert.throws(() => planMounts({}, { Mounts: [{ Type: 'bind', Source: 'x', Target: '/x' }] }), /must be absolute/);
  });

  test('--tmpfs has docker’s safe options unless told otherwise', () => {
    const options = (text: string) => planMounts({}, { Tmpfs: { '/t': text } })[0]?.options;
    assert.deepEqual(options(''), ['noexec', 'nosuid', 'nodev']);
    assert.deepEqual(options('rw,exec,size=64m'), ['nosuid', 'nodev', 'size=64m']);
  });

  test('the image’s volumes are anonymous, unless something is mounted there', () => {
    const mounts = planMounts({ Volumes: { '/data': {}, '/cache/': {} } }, { Binds: ['named:/cache'] });
    assert.deepEqual(
      mounts.map(({ source, target }) => [source, target]),
      [
        ['named', '/cache'],
        ['', '/data'],
      ],
    );
  });
});
