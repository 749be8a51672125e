import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { getXattr, makeNode, setXattr } from '../kernel/file-attributes.ts';
import { squashLayers } from './squash-layers.ts';

const cannotRun = process.getuid?.() === 0 ? false : 'whiteouts need root';
const opaque = 'trusted.overlay.opaque';

suite('squashing layers', { skip: cannotRun }, () => {
  function setUp(t: { after(work: () => void): void }, ...contents: Record<string, string>[]) {
    const directory = mkdtempSync(join(tmpdir(), 'squash-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const layers = contents.map((content, i) => {
      const layer = join(directory, `${i}`);
      mkdirSync(layer);
      for (const [path, text] of Object.entries(content)) {
        const place = join(layer, path);
        if (text === 'whiteout') makeNode(place, 0o020000);
        else if (text === 'directory') mkdirSync(place);
        else if (text === 'opaque') {
          mkdirSync(place);
          setXattr(place, opaque, Buffer.from('y'));
        } else writeFileSync(place, text);
      }
      return layer;
    });
    const target = join(directory, 'target');
    mkdirSync(target);
    return { layers, target, run: (hasBase = true) => squashLayers(layers, target, hasBase) };
  }
  const isWhiteout = (path: string) => lstatSync(path).isCharacterDevice() && lstatSync(path).rdev === 0;

  test('the uppermost file counts, and shares its bytes with its layer', (t) => {
    const { layers, target, run } = setUp(t, { a: 'old', b: 'below' }, { a: 'new' });
    run();
    assert.equal(readFileSync(join(target, 'a'), 'utf8'), 'new');
    assert.equal(lstatSync(join(target, 'a')).ino, lstatSync(join(layers[1] ?? '', 'a')).ino);
    assert.equal(readFileSync(join(layers[0] ?? '', 'a'), 'utf8'), 'old');
    assert.deepEqual(readdirSync(target).sort(), ['a', 'b']);
  });

  test('what an upper layer removed is gone, and hidden in the layers below too', (t) => {
    const { target, run } = setUp(t, { d: 'directory', 'd/x': '1', f: '1' }, { d: 'whiteout', f: 'whiteout' });
    run();
    assert.ok(isWhiteout(join(target, 'd')) && isWhiteout(join(target, 'f')));
  });

  test('a directory that came again after it was removed shows nothing of before', (t) => {
    const { target, run } = setUp(t, { d: 'directory', 'd/x': '1' }, { d: 'whiteout' }, { d: 'directory', 'd/y': '2' });
    run();
    assert.deepEqual(readdirSync(join(target, 'd')), ['y']);
    assert.equal(getXattr(join(target, 'd'), opaque)?.toString(), 'y');
  });

  test('an opaque directory empties what came before it; a file in its place replaces it', (t) => {
    const { target, run } = setUp(
      t,
      { d: 'directory', 'd/x': '1', e: 'directory', 'e/x': '1' },
      { d: 'opaque', 'd/y': '2', e: 'file' },
    );
    run();
    assert.deepEqual(readdirSync(join(target, 'd')), ['y']);
    assert.equal(getXattr(join(target, 'd'), opaque)?.toString(), 'y');
    assert.equal(readFileSync(join(target, 'e'), 'utf8'), 'file');
  });

  test('over nothing, nothing is left to hide', (t) => {
    const { target, run } = setUp(t, { a: '1', d: 'directory', 'd/x': '1' }, { a: 'whiteout', d: 'opaque' });
    run(false);
    assert.deepEqual(readdirSync(target), ['d']);
    assert.equal(getXattr(join(target, 'd'), opaque), undefined);
  });

  test('directories keep mode and time of the uppermost; symlinks are never followed', (t) => {
    const { layers, target, run } = setUp(t, { d: 'directory' }, { d: 'directory' });
    chmodSync(join(layers[1] ?? '', 'd'), 0o1700);
    symlinkSync('/etc', join(layers[0] ?? '', 'd/link'));
    mkdirSync(join(layers[1] ?? '', 'd/link'));
    writeFileSync(join(layers[1] ?? '', 'd/link/passwd'), 'mine');
    run();
    const stat = lstatSync(join(target, 'd'));
    assert.equal(stat.mode & 0o7777, 0o1700);
    assert.equal(stat.mtimeMs, lstatSync(join(layers[1] ?? '', 'd')).mtimeMs);
    assert.equal(readFileSync(join(target, 'd/link/passwd'), 'utf8'), 'mine');
    assert.ok(lstatSync(join(target, 'd/link')).isDirectory());
  });
});
