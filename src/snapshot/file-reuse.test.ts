import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashSelection } from './content-hash.ts';
import { copySelection } from './copy-tree.ts';

const directory = mkdtempSync(join(tmpdir(), 'file-reuse-'));
after(() => rmSync(directory, { recursive: true }));

const selection = { path: '/', wildcard: false, allowEmpty: false, followLinks: true, include: [], exclude: [] };
const indexFile = join(directory, 'index');
const context = join(directory, 'context');

/** Until the index dares to say that nothing has changed. */
async function settle(names: readonly string[]): Promise<void> {
  for (;;) {
    hashSelection(context, [selection], { indexFile });
    const rows = existsSync(indexFile) ? JSON.parse(readFileSync(indexFile, 'utf8')) : [];
    const known = new Set(rows.map(([, identity]: string[]) => identity));
    const all = names.every((name) => {
      const { size, mtimeNs, ctimeNs, ino, dev } = statSync(join(context, name), { bigint: true });
      return known.has(`${size} ${mtimeNs} ${ctimeNs} ${ino} ${dev}`);
    });
    if (all) return;
    await sleep(20);
  }
}

function copyInto(layer: string, mode: string | undefined, earlier: string | undefined): void {
  const options = {
    owner: { uid: 0, gid: 0 },
    mode,
    directoryContents: true,
    createDestination: true,
    replaceExisting: false,
    reuse: {
      indexFile,
      record: join(directory, `${layer}.record`),
      ...(earlier === undefined
        ? {}
        : { earlier: { record: join(directory, `${earlier}.record`), directory: join(directory, earlier, 'data') } }),
    },
  };
  mkdirSync(join(directory, layer));
  copySelection(context, selection, join(directory, layer), '/data', options);
}

const inodeOf = (layer: string, name: string) => statSync(join(directory, layer, 'data', name)).ino;
const contentOf = (layer: string, name: string) => readFileSync(join(directory, layer, 'data', name), 'utf8');

suite('files of an earlier copy', { skip: process.getuid?.() === 0 ? false : 'giving files away needs root' }, () => {
  const names = ['same', 'edited', 'quiet', 'mode', 'touched', 'deep/er/below'];

  test('those that would arrive the same are linked, all others copied', async () => {
    mkdirSync(join(context, 'deep/er'), { recursive: true });
    for (const name of names) writeFileSync(join(context, name), `content of ${name}`);
    await settle(names);
    copyInto('first', undefined, undefined);
    const { atime, mtime } = statSync(join(context, 'quiet'));
    writeFileSync(join(context, 'edited'), 'other content');
    // As many bytes as before, and the same time: only ctime tells.
    writeFileSync(join(context, 'quiet'), 'CONTENT of quiet');
    utimesSync(join(context, 'quiet'), atime, mtime);
    chmodSync(join(context, 'mode'), 0o755);
    utimesSync(join(context, 'touched'), atime, new Date(mtime.getTime() + 5000));
    await settle(names);
    copyInto('second', undefined, 'first');
    const linked = names.filter((name) => inodeOf('first', name) === inodeOf('second', name));
    assert.deepEqual(linked, ['same', 'deep/er/below']);
    assert.equal(contentOf('second', 'edited'), 'other content');
    assert.equal(contentOf('second', 'quiet'), 'CONTENT of quiet');
    assert.equal(statSync(join(directory, 'second/data/mode')).mode & 0o777, 0o755);
    assert.equal(statSync(join(directory, 'second/data/touched')).mtimeMs, statSync(join(context, 'touched')).mtimeMs);
    assert.equal(contentOf('first', 'quiet'), 'content of quiet');
  });

  test('another mode for all is another arrival', () => {
    copyInto('third', '600', 'second');
    assert.ok(names.every((name) => inodeOf('third', name) !== inodeOf('second', name)));
    assert.equal(statSync(join(directory, 'second/data/same')).mode & 0o777, 0o644);
  });

  test('what is gone from the earlier layer is copied', () => {
    rmSync(join(directory, 'third'), { recursive: true });
    copyInto('fourth', '600', 'third');
    assert.equal(contentOf('fourth', 'same'), 'content of same');
  });
});
