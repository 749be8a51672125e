import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { type Digest, digestOf } from '../base/digest.ts';
import { LocalContentStore } from './local-content-store.ts';

async function* pieces(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(bytes)).toString();
}

suite('local content store', () => {
  let directory: string;
  let store: LocalContentStore;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'content-'));
    store = new LocalContentStore(directory);
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  const ingests = () => readdirSync(join(directory, 'ingest'));

  test('writes, finds and reads a blob', async () => {
    const { digest, size } = await store.write(pieces('hel', 'lo'));
    assert.deepEqual([digest, size], [digestOf('hello'), 5]);
    assert.deepEqual(store.stat(digest), { digest, size });
    assert.equal(await textOf(store.read(digest)), 'hello');
    assert.equal(await textOf(store.read(digest, { offset: 3 })), 'lo');
    assert.equal(Buffer.from(store.readSmall(digest)).toString(), 'hello');
    assert.deepEqual(store.list(), [{ digest, size }]);
  });

  test('a blob whose bytes are not its digest is refused and nothing is stored', async () => {
    const expected = { digest: digestOf('good'), size: 4 };
    for (const bad of ['evil', 'goo', 'goodness']) {
      await assert.rejects(store.write(pieces(bad), { expected }), { code: 'data-loss' });
    }
    assert.equal(store.stat(expected.digest), undefined);
    assert.deepEqual(ingests(), []);
  });

  test('a blob that was changed on disk is not read', async () => {
    const { digest } = store.writeSmall('original');
    writeFileSync(store.path(digest), 'originax');
    await assert.rejects(textOf(store.read(digest)), { code: 'data-loss' });
    assert.throws(() => store.readSmall(digest), { code: 'data-loss' });
    writeFileSync(store.path(digest), 'orig');
    await assert.rejects(textOf(store.read(digest)), { code: 'data-loss' });
  });

  test('a write that fails half-way leaves nothing', async () => {
    const failing = async function* () {
      yield Buffer.from('some');
      throw new Error('connection reset');
    };
    await assert.rejects(store.write(failing()), /connection reset/);
    assert.deepEqual([ingests(), store.list()], [[], []]);
  });

  test('an unfinished write of a process that died is dropped at the next start', () => {
    writeFileSync(join(directory, 'ingest/left-over'), 'x');
    store = new LocalContentStore(directory);
    assert.deepEqual(ingests(), []);
  });

  test('a missing blob', async () => {
    const digest = digestOf('never');
    assert.throws(() => store.readSmall(digest), { code: 'not-found' });
    await assert.rejects(textOf(store.read(digest)), { code: 'not-found' });
  });

  test('a blob that is too large to be read as a whole is said to be', () => {
    const { digest } = store.writeSmall('0123456789');
    assert.throws(() => store.readSmall(digest, 9), { code: 'resource-exhausted' });
  });

  test('collects what nobody keeps, holds or wrote just now', () => {
    const [kept, held, free] = ['kept', 'held', 'free'].map((text) => store.writeSmall(text).digest);
    assert.ok(kept && held && free);
    const keep = new Set<Digest>([kept]);
    const lease = store.hold([held]);
    assert.deepEqual(store.collect(keep, { graceMs: 60_000 }), []);
    assert.deepEqual(store.collect(keep), [{ digest: free, size: 4 }]);
    lease[Symbol.dispose]();
    assert.deepEqual(store.collect(keep), [{ digest: held, size: 4 }]);
    assert.deepEqual(
      store.list().map((info) => info.digest),
      [kept],
    );
  });
});
