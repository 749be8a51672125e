import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { digestOf } from '../base/digest.ts';
import type { Mount } from '../kernel/mount.ts';
import { mountAll, unmount } from '../kernel/mounting.ts';
import { OverlaySnapshots } from './overlay-snapshots.ts';
import type { LayerId } from './snapshots.ts';

const skip = process.getuid?.() === 0 ? false : 'mounting needs root';

suite('overlay snapshots', { skip }, () => {
  let directory: string;
  let database: DatabaseSync;
  let snapshots: OverlaySnapshots;

  const open = () => {
    database = new DatabaseSync(join(directory, 'meta.db'));
    snapshots = new OverlaySnapshots(join(directory, 'snapshots'), database);
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'snapshots-'));
    // A disk of its own: overlayfs does not stand on another overlay, which a container's root is.
    mountAll([{ type: 'tmpfs', source: 'tmpfs', options: [] }], directory);
    mkdirSync(join(directory, 'mnt'));
    open();
  });
  afterEach(() => {
    database.close();
    unmount(directory);
    rmSync(directory, { recursive: true });
  });
  const reopen = () => {
    snapshots.close();
    database.close();
    open();
  };
  const mounted = <T>(mounts: readonly Mount[], work: (path: string) => T): T => {
    const path = join(directory, 'mnt');
    mountAll(mounts, path);
    try {
      return work(path);
    } finally {
      unmount(path);
    }
  };
  const layer = (stack: readonly LayerId[], change: (path: string) => void): LayerId => {
    const active = snapshots.prepare(stack);
    mounted(snapshots.activeMounts(active), change);
    return snapshots.commit(active);
  };
  const file =
    (name: string, text = name) =>
    (path: string) =>
      writeFileSync(join(path, name), text);
  const names = (stack: readonly LayerId[]) => mounted(snapshots.viewMounts(stack), (path) => readdirSync(path));

  test('layers build on each other and stay as they were', () => {
    const one = layer([], file('a'));
    const two = layer([one], (path) => {
      rmSync(join(path, 'a'));
      file('b')(path);
    });
    const three = layer([one, two], file('b', 'changed'));
    assert.deepEqual(names([]), []);
    assert.deepEqual(names([one]), ['a']);
    assert.deepEqual(names([one, two]), ['b']);
    mounted(snapshots.viewMounts([one, two, three]), (path) => {
      assert.equal(readFileSync(join(path, 'b'), 'utf8'), 'changed');
      assert.throws(() => file('c')(path), { code: 'EROFS' });
    });
    assert.deepEqual(names([two]), ['b'], 'a whiteout at the bottom does not show');
    assert.deepEqual(names([one, three]), ['a', 'b'], 'concatenation merges');
  });

  test('the root of a layer can be read by everybody', () => {
    const one = layer([], file('a'));
    mounted(snapshots.viewMounts([one]), (path) => assert.equal(statSync(path).mode & 0o777, 0o755));
  });

  test('what is committed survives, what is active does not, unless it is persistent', () => {
    const one = layer([], file('a'));
    const lost = snapshots.prepare([one]);
    const kept = snapshots.prepare([one], { persistent: true });
    mounted(snapshots.activeMounts(kept), file('mine'));
    reopen();
    assert.ok(snapshots.has(one));
    assert.throws(() => snapshots.activeMounts(lost), { code: 'not-found' });
    assert.ok(!existsSync(join(directory, 'snapshots', lost)));
    assert.deepEqual(snapshots.activeStack(kept), [one]);
    mounted(snapshots.activeMounts(kept), (path) => assert.deepEqual(readdirSync(path), ['a', 'mine']));
    assert.notEqual(layer([], file('b')), kept as string);
  });

  test('directories without a row and rows without a directory are dropped at the start', () => {
    const one = layer([], file('a'));
    const two = layer([], file('b'));
    mkdirSync(join(directory, 'snapshots/4711/fs'), { recursive: true });
    rmSync(join(directory, 'snapshots', two), { recursive: true });
    reopen();
    assert.deepEqual([snapshots.has(one), snapshots.has(two)], [true, false]);
    assert.deepEqual(readdirSync(join(directory, 'snapshots')).toSorted(), [one as string, 'empty'].toSorted());
  });

  test('layers that a crash of the machine may have hurt are dropped, synced ones stay', async () => {
    const synced = layer([], file('a'));
    await snapshots.sync();
    const unsynced = layer([], file('b'));
    reopen();
    assert.ok(snapshots.has(unsynced), 'the death of the process alone harms nothing');
    database.exec("UPDATE unsynced_layers SET boot = 'the one before'");
    reopen();
    assert.deepEqual([snapshots.has(synced), snapshots.has(unsynced)], [true, false]);
    assert.ok(!existsSync(join(directory, 'snapshots', unsynced)));
  });

  test('collection spares what is kept, held, or beneath an active layer', async () => {
    const [kept, held, beneath, free] = ['kept', 'held', 'beneath', 'free'].map((name) => layer([], file(name)));
    assert.ok(kept && held && beneath && free);
    const lease = snapshots.hold([held]);
    const active = snapshots.prepare([beneath]);
    const collected = await snapshots.collect(new Set([kept]));
    assert.deepEqual(
      collected.map(({ id, size }) => [id, size]),
      [[free, 4]],
    );
    lease[Symbol.dispose]();
    snapshots.discard(active);
    assert.equal((await snapshots.collect(new Set([kept]))).length, 2);
    assert.deepEqual(
      snapshots.list().map(({ id }) => id),
      [kept],
    );
  });

  test('chains and diffIDs are remembered, and forgotten with their layers', async () => {
    const one = layer([], file('a'));
    const chain = digestOf('chain');
    snapshots.setChain(chain, [one]);
    snapshots.setDiffId(one, digestOf('tar'), 1024);
    reopen();
    assert.deepEqual(snapshots.findChain(chain), [one]);
    assert.deepEqual([snapshots.info(one).diffId, snapshots.info(one).tarSize], [digestOf('tar'), 1024]);
    await snapshots.collect(new Set());
    assert.equal(snapshots.findChain(chain), undefined);
  });

  test('a missing layer is named', () => {
    assert.throws(() => snapshots.prepare(['77' as LayerId]), /"77"/);
    assert.throws(() => snapshots.viewMounts(['77' as LayerId]), /"77"/);
  });
});
