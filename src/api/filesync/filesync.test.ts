import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { AsyncQueue } from '../../base/async.ts';
import { type Packet, PacketSchema, Packet_PacketType as PacketType, type StatSchema } from '../gen/fsutil_pb.js';
import { create } from '../message/create.ts';
import type { InitOf } from '../message/schema.ts';
import { goModeOf } from './go-file-mode.ts';
import { type ReceiveOptions, TreeReceiver } from './receive-tree.ts';
import { type PacketInit, sendTree } from './send-tree.ts';
import { type PathFilter, walkTree } from './walk-tree.ts';

const ours: ReceiveOptions = { owner: 'sent', deleteOthers: true };

async function* messages(packets: AsyncIterable<PacketInit>): AsyncGenerator<Packet, void> {
  for await (const packet of packets) {
    const data = packet.data ? { data: Uint8Array.from(packet.data) } : {};
    yield create(PacketSchema, { ...packet, ...data });
  }
}

function transfer(from: string, to: string, options = ours, filter?: PathFilter) {
  const receiver = new TreeReceiver(to, options);
  return receiver.receive(messages(sendTree(from, walkTree(from, { filter }), messages(receiver.outgoing))));
}

/** Says only what it is told to; asks for nothing. */
function receiveList(to: string, stats: InitOf<typeof StatSchema>[], options = ours) {
  const packets = new AsyncQueue<PacketInit>();
  for (const stat of stats) packets.push({ type: PacketType.PACKET_STAT, stat });
  packets.push({ type: PacketType.PACKET_STAT });
  packets.push({ type: PacketType.PACKET_FIN });
  packets.end();
  return new TreeReceiver(to, options).receive(messages(packets));
}

const directoryMode = goModeOf({ type: 'directory', permissions: 0o755 });
const symlinkMode = goModeOf({ type: 'symlink', permissions: 0o777 });

suite('DiffCopy', () => {
  let base: string;
  let from: string;
  let to: string;

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'filesync-'));
    from = join(base, 'from');
    to = join(base, 'to');
    mkdirSync(join(from, 'a/deep'), { recursive: true });
    writeFileSync(join(from, 'a/deep/file'), 'hello');
    writeFileSync(join(from, 'a-b'), Buffer.alloc(200_000, 7));
    writeFileSync(join(from, 'a.txt'), '');
    symlinkSync('/etc/passwd', join(from, 'link'));
    linkSync(join(from, 'a-b'), join(from, 'same'));
    chmodSync(join(from, 'a'), 0o750);
    chmodSync(join(from, 'a.txt'), 0o4711);
    for (const path of ['a/deep/file', 'a-b', 'a.txt', 'a/deep', 'a']) utimesSync(join(from, path), 1e9, 1e9 + 0.25);
  });
  afterEach(() => rmSync(base, { recursive: true }));

  test('a tree comes over whole, in order', async () => {
    assert.deepEqual(
      [...walkTree(from)].map(({ path }) => path),
      ['a', 'a/deep', 'a/deep/file', 'a-b', 'a.txt', 'link', 'same'],
    );
    const result = await transfer(from, to);
    assert.deepEqual(result, { entries: 7, filesReceived: 3, bytesReceived: 200_005, skipped: [] });
    assert.equal(readFileSync(join(to, 'a/deep/file'), 'utf8'), 'hello');
    assert.equal(readlinkSync(join(to, 'link')), '/etc/passwd');
    assert.equal(statSync(join(to, 'same')).ino, statSync(join(to, 'a-b')).ino);
    assert.equal(statSync(join(to, 'a.txt')).mode & 0o7777, 0o4711);
    assert.equal(statSync(join(to, 'a')).mode & 0o7777, 0o750);
    for (const path of ['a', 'a/deep', 'a-b']) {
      assert.equal(statSync(join(to, path)).mtimeMs, statSync(join(from, path)).mtimeMs, path);
    }
  });

  test('the second time only what changed comes, and what vanished goes', async () => {
    await transfer(from, to);
    writeFileSync(join(from, 'a/deep/file'), 'other');
    rmSync(join(from, 'a.txt'));
    rmSync(join(from, 'link'));
    mkdirSync(join(from, 'link'));
    const result = await transfer(from, to);
    assert.deepEqual([result.filesReceived, result.bytesReceived], [1, 5]);
    assert.deepEqual(readdirSync(to).sort(), ['a', 'a-b', 'link', 'same']);
    assert.ok(lstatSync(join(to, 'link')).isDirectory());
  });

  test('a file that changed again within the same moment comes again', async () => {
    writeFileSync(join(from, 'a.txt'), 'one');
    const { mtimeMs } = statSync(join(from, 'a.txt'));
    await transfer(from, to);
    writeFileSync(join(from, 'a.txt'), 'two');
    utimesSync(join(from, 'a.txt'), mtimeMs / 1000, mtimeMs / 1000);
    utimesSync(join(to, 'a.txt'), mtimeMs / 1000, mtimeMs / 1000);
    await transfer(from, to);
    assert.equal(readFileSync(join(to, 'a.txt'), 'utf8'), 'two');
  });

  test('directories come only for what is selected in them', async () => {
    const filter: PathFilter = (path) => ({ selected: path.endsWith('file'), descend: true, state: undefined });
    await transfer(from, to, ours, filter);
    assert.deepEqual(readdirSync(to, { recursive: true }).sort(), ['a', 'a/deep', 'a/deep/file']);
  });

  test('a vanished file tells the receiver', async () => {
    const entries = [...walkTree(from)];
    rmSync(join(from, 'a-b'));
    const receiver = new TreeReceiver(to, ours);
    await assert.rejects(receiver.receive(messages(sendTree(from, entries, messages(receiver.outgoing)))), /ENOENT/);
  });

  test('paths that lead out are refused', async () => {
    for (const path of ['../x', '/etc/x', 'a/../../x', '.', '', 'a//b', './x', 'x/', 'x\0y', 'x'.repeat(5000)]) {
      await assert.rejects(receiveList(to, [{ path, mode: directoryMode }]), /cannot receive/, JSON.stringify(path));
    }
    assert.deepEqual(readdirSync(to), []);
  });

  test('a file below a symlink of the list is refused (as in CVE-2026-48769)', async () => {
    const outside = join(base, 'outside');
    mkdirSync(outside);
    const list = [
      { path: 'etc', mode: symlinkMode, linkname: outside },
      { path: 'etc/x', mode: directoryMode },
    ];
    await assert.rejects(receiveList(to, list), /its directory was not listed/);
    await assert.rejects(receiveList(to, [list[0] ?? {}, { ...list[0], mode: directoryMode }]), /out of order/);
    assert.deepEqual(readdirSync(outside), []);
  });

  test('a symlink that lay in the destination is replaced, not followed', async () => {
    const outside = join(base, 'outside');
    mkdirSync(outside);
    mkdirSync(to);
    symlinkSync(outside, join(to, 'a'));
    symlinkSync(join(outside, 'planted'), join(to, 'a-b'));
    await transfer(from, to, { owner: 'receiver', deleteOthers: false });
    assert.deepEqual(readdirSync(outside), []);
    assert.ok(lstatSync(join(to, 'a')).isDirectory());
    assert.ok(lstatSync(join(to, 'a-b')).isFile());
  });

  test('a link to what was not listed is refused', async () => {
    await assert.rejects(receiveList(to, [{ path: 'x', mode: 0o644, linkname: '../../etc/shadow' }]), /no file listed/);
  });

  test("in the user's directory other files stay and set-id bits go", async () => {
    mkdirSync(to);
    writeFileSync(join(to, 'mine'), '');
    await transfer(from, to, { owner: 'receiver', deleteOthers: false });
    assert.ok(existsSync(join(to, 'mine')));
    assert.equal(statSync(join(to, 'a.txt')).mode & 0o7777, 0o711);
  });

  test('devices are skipped and told', async () => {
    const mode = goModeOf({ type: 'block-device', permissions: 0o600 });
    const { skipped } = await receiveList(to, [{ path: 'sda', mode, devmajor: 8n }]);
    assert.deepEqual(skipped, ['sda']);
  });
});
