import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import {
  deviceMajor,
  deviceMinor,
  deviceNumber,
  getXattr,
  listXattrs,
  makeNode,
  nodeTypes,
  setModificationTime,
  setXattr,
} from './file-attributes.ts';
import { LockHeldError, lockFile } from './file-lock.ts';
import { mountAll, unmount } from './mounting.ts';
import { resolveInRootPath } from './open-in-root.ts';
import { peerOf } from './peer.ts';
import { syncFileSystem } from './sync-file-system.ts';

const root = process.getuid?.() === 0 ? false : 'needs root';

suite('kernel', () => {
  // Overlayfs does not stand on itself, and tests may run inside a container: a tmpfs of its own serves as the disk.
  const directory = mkdtempSync(join(tmpdir(), 'kernel-'));
  if (!root) mountAll([{ type: 'tmpfs', source: 'tmpfs', options: ['mode=700'] }], directory);
  after(() => {
    if (!root) unmount(directory);
    rmSync(directory, { recursive: true, force: true });
  });
  const make = (name: string) => {
    const path = join(directory, name);
    mkdirSync(path, { recursive: true });
    return path;
  };

  for (const count of [1, 300]) {
    test(`an overlay of ${count} lower directories`, { skip: root }, () => {
      const lowers = Array.from({ length: count }, (_, i) =>
        make(`lowers-${count}/a-rather-long-name-for-a-layer-${i}`),
      );
      for (const [i, lower] of lowers.entries()) writeFileSync(join(lower, `file-${i}`), `${i}`);
      const [upper, work, target] = [make(`upper-${count}`), make(`work-${count}`), make(`target-${count}`)];
      const options = [`lowerdir=${lowers.join(':')}`, `upperdir=${upper}`, `workdir=${work}`];
      mountAll([{ type: 'overlay', source: 'overlay', options }], target);
      try {
        assert.equal(readdirSync(target).length, count);
        writeFileSync(join(target, 'new'), '');
        assert.deepEqual(readdirSync(upper), ['new']);
      } finally {
        unmount(target);
      }
      assert.deepEqual(readdirSync(target), []);
    });
  }

  test('a read-only bind mount', { skip: root }, () => {
    const [source, target] = [make('source'), make('bound')];
    mountAll([{ type: 'bind', source, options: ['rbind', 'ro', 'nosuid'] }], target);
    try {
      assert.throws(() => writeFileSync(join(target, 'x'), ''), { code: 'EROFS' });
      assert.match(readFileSync('/proc/self/mountinfo', 'utf8'), new RegExp(`${target} ro,nosuid`));
    } finally {
      unmount(target);
    }
  });

  test('a failing mount leaves nothing of those before it', { skip: root }, () => {
    const target = make('failing');
    const good = { type: 'tmpfs', source: 'tmpfs', options: [] } as const;
    assert.throws(() => mountAll([good, { type: 'bind', source: '/does/not/exist', options: [] }], target), {
      code: 'ENOENT',
    });
    assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), new RegExp(target));
  });

  test('extended attributes, of symlinks too', { skip: root }, () => {
    const file = join(directory, 'attributes');
    writeFileSync(file, '');
    assert.equal(getXattr(file, 'trusted.none'), undefined);
    setXattr(file, 'trusted.overlay.opaque', Buffer.from('y'));
    assert.deepEqual(listXattrs(file), ['trusted.overlay.opaque']);
    assert.equal(getXattr(file, 'trusted.overlay.opaque')?.toString(), 'y');
    symlinkSync('attributes', join(directory, 'link'));
    assert.deepEqual(listXattrs(join(directory, 'link')), []);
    assert.throws(() => getXattr(join(directory, 'gone'), 'user.x'), { code: 'ENOENT' });
  });

  test('devices', { skip: root }, () => {
    const path = join(directory, 'whiteout');
    makeNode(path, nodeTypes.characterDevice);
    assert.ok(lstatSync(path).isCharacterDevice());
    assert.equal(lstatSync(path).rdev, 0);
    for (const [major, minor] of [
      [0, 0],
      [8, 1],
      [259, 70000],
      [4095, 1048575],
    ] as const) {
      const device = deviceNumber(major, minor);
      assert.deepEqual([deviceMajor(device), deviceMinor(device)], [major, minor]);
    }
  });

  test('modification times to the nanosecond, before 1970 and of symlinks', () => {
    const link = join(directory, 'dangling');
    symlinkSync('nowhere', link);
    for (const time of [1_700_000_000_123_456_789n, -1n, -5_000_000_001n, 0n]) {
      setModificationTime(link, time);
      assert.equal(lstatSync(link, { bigint: true }).mtimeNs, time);
    }
  });

  test('paths inside a root never leave it', () => {
    const inside = make('root/etc');
    writeFileSync(join(inside, 'passwd'), 'ours');
    symlinkSync('/etc/passwd', join(directory, 'root/absolute'));
    symlinkSync('../../../../../etc/passwd', join(directory, 'root/upwards'));
    for (const path of ['/etc/passwd', '../../etc/passwd', 'absolute', 'upwards']) {
      assert.equal(resolveInRootPath(join(directory, 'root'), path), join(inside, 'passwd'));
    }
    assert.throws(() => resolveInRootPath(join(directory, 'root'), 'missing'), { code: 'ENOENT' });
    assert.throws(() => resolveInRootPath(join(directory, 'root'), 'a\0b'));
  });

  test('the peer of a unix socket', async () => {
    const path = join(directory, 'socket');
    const server = createServer().listen(path);
    const client = connect(path);
    const [accepted] = await once(server, 'connection');
    const peer = peerOf(accepted._handle.fd);
    assert.deepEqual(peer, { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() });
    client.destroy();
    accepted.destroy();
    server.close();
    assert.throws(() => peerOf(99_999), { code: 'EBADF' });
  });

  test('a file system is synced', async () => {
    await syncFileSystem(directory);
    await assert.rejects(syncFileSystem(join(directory, 'nothing')), { code: 'ENOENT' });
  });

  test('a lock names its holder and ends with it', () => {
    const path = join(directory, 'lock');
    const lock = lockFile(path);
    const attempt = () =>
      execFileSync(process.execPath, [
        '--input-type=module',
        '-e',
        `import { lockFile } from ${JSON.stringify(new URL('./file-lock.ts', import.meta.url).href)};
         try { lockFile(${JSON.stringify(path)}); console.log('got it'); } catch (error) { console.log(error.holder); }`,
      ]).toString();
    assert.equal(attempt(), `${process.pid}\n`);
    assert.throws(() => lockFile(path), LockHeldError);
    lock[Symbol.dispose]();
    assert.equal(attempt(), 'got it\n');
  });
});
