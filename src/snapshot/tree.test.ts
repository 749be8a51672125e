import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { BulkPool } from './bulk-pool.ts';
import { type HashOptions, hashSelection } from './content-hash.ts';
import { type CopyOptions, copySelection } from './copy-tree.ts';
import { applyMode } from './file-mode.ts';
import type { Selection } from './select-files.ts';
import { makeDirectory, makeFile, makeSymlink, removeFiles } from './tree-operations.ts';

const skip = process.getuid?.() === 0 ? false : 'owners need root';

suite('trees', { skip }, () => {
  let directory: string;
  let source: string;
  let target: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tree-'));
    source = join(directory, 'source');
    target = join(directory, 'target');
    mkdirSync(source);
    mkdirSync(target);
    writeFileSync(join(directory, 'canary'), 'alive');
  });
  afterEach(() => {
    assert.equal(readFileSync(join(directory, 'canary'), 'utf8'), 'alive');
    rmSync(directory, { recursive: true });
  });
  const fill = (files: Record<string, string>, root = source) => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
  };
  const selection = (path: string, more: Partial<Selection> = {}): Selection => ({
    path,
    wildcard: true,
    followLinks: true,
    ...more,
  });
  const copy = (path: string, to: string, more: Partial<Selection> = {}, options: Partial<CopyOptions> = {}) =>
    copySelection(source, selection(path, more), target, to, {
      directoryContents: true,
      createDestination: true,
      replaceExisting: false,
      ...options,
    });
  const files = (root = target, prefix = ''): string[] =>
    readdirSync(join(root, prefix), { withFileTypes: true })
      .flatMap((entry) => (entry.isDirectory() ? files(root, join(prefix, entry.name)) : [join(prefix, entry.name)]))
      .toSorted();

  suite('copying', () => {
    test('a file to a name, into a directory, and by the slash', () => {
      fill({ a: '1', 'd/b': '2' });
      copy('a', '/x');
      copy('a', '/dir/');
      copy('d/b', '/dir');
      assert.deepEqual(files(), ['dir/a', 'dir/b', 'x']);
    });

    test('a directory is its content', () => {
      fill({ 'd/a': '1', 'd/sub/b': '2' });
      copy('d', '/to');
      copy('d', '/whole/d', {}, { directoryContents: true });
      assert.deepEqual(files(), ['to/a', 'to/sub/b', 'whole/d/a', 'whole/d/sub/b']);
    });

    test('wildcards, none of which must match when something else does', () => {
      fill({ 'a.js': '', 'b.js': '', 'c.ts': '', 'd/e.js': '' });
      copy('*.js', '/to/');
      copy('d/*.js', '/to/');
      assert.deepEqual(files(), ['to/a.js', 'to/b.js', 'to/e.js']);
      assert.throws(() => copy('*.py', '/to/'), { code: 'not-found' });
      copy('*.py', '/to/', { allowEmpty: true });
      assert.throws(() => copy('missing', '/to/'), /"\/missing"/);
    });

    test('attributes, hard links, symlinks and odd names are kept', () => {
      fill({ 'd/run': '#!', 'd/big': 'x'.repeat(600_000) });
      chmodSync(join(source, 'd/run'), 0o4755);
      utimesSync(join(source, 'd/run'), 1_000_000_000, 1_000_000_000);
      linkSync(join(source, 'd/run'), join(source, 'd/again'));
      symlinkSync('../nowhere', join(source, 'd/link'));
      writeFileSync(Buffer.from(`${source}/d/\xff\xfe`, 'latin1'), '');
      copy('d', '/to');
      const run = statSync(join(target, 'to/run'));
      assert.deepEqual([run.mode & 0o7777, run.mtimeMs, run.nlink], [0o4755, 1_000_000_000_000, 2]);
      assert.equal(readlinkSync(join(target, 'to/link')), '../nowhere');
      assert.equal(statSync(join(target, 'to/big')).size, 600_000);
      assert.ok(existsSync(Buffer.from(`${target}/to/\xff\xfe`, 'latin1')));
    });

    test('holes stay holes', () => {
      const fd = openSync(join(source, 'sparse'), 'w');
      writeSync(fd, 'start', 0);
      writeSync(fd, 'middle', 50_000_000);
      ftruncateSync(fd, 200_000_000);
      closeSync(fd);
      copy('sparse', '/to');
      const [from, to] = [statSync(join(source, 'sparse')), statSync(join(target, 'to'))];
      assert.equal(to.size, from.size);
      assert.ok(to.blocks <= from.blocks + 16, `${to.blocks} blocks for ${from.blocks}`);
      const text = Buffer.alloc(6);
      const copied = openSync(join(target, 'to'), 'r');
      readSync(copied, text, 0, 6, 50_000_000);
      closeSync(copied);
      assert.equal(text.toString(), 'middle');
    });

    test('a path through a file is not found', () => {
      fill({ file: '' });
      assert.throws(() => copy('file/x', '/to'), { code: 'not-found' });
    });

    test('a setgid directory does not give its group to what is copied into it', () => {
      fill({ file: '', 'd/inner': '' });
      mkdirSync(join(target, 'staff'));
      chownSync(join(target, 'staff'), 0, 50);
      chmodSync(join(target, 'staff'), 0o2775);
      copy('file', '/staff/');
      copy('d', '/staff/new');
      for (const name of ['file', 'new', 'new/inner'])
        assert.equal(lstatSync(join(target, 'staff', name)).gid, 0, name);
      assert.equal(lstatSync(join(target, 'staff/new')).mode & 0o7000, 0);
    });

    test('owner, mode and time by wish', () => {
      fill({ 'd/a': '' });
      copy('d', '/to', {}, { owner: { uid: 7, gid: 8 }, mode: '0640', time: 5_000_000_000n });
      const stat = lstatSync(join(target, 'to/a'));
      assert.deepEqual([stat.uid, stat.gid, stat.mode & 0o777, stat.mtimeMs], [7, 8, 0o640, 5000]);
    });

    test('filters of the tree and of the copy', () => {
      fill({
        'app.js': '',
        'app.log': '',
        'node_modules/x/y': '',
        'src/a.ts': '',
        'src/a.test.ts': '',
        'docs/x.md': '',
        'docs/deep/y.md': '',
      });
      const filter = { include: [], exclude: ['node_modules', '*.log', 'docs', '!docs/deep'] };
      copy('.', '/to', { exclude: ['**/*.test.ts'] }, { filter });
      assert.deepEqual(files(), ['to/app.js', 'to/docs/deep/y.md', 'to/src/a.ts']);
      assert.throws(() => copy('app.log', '/x', { wildcard: false }, { filter }), { hint: /dockerignore/ });
      copy('/', '/js', { include: ['**/*.js'] });
      assert.deepEqual(files(join(target, 'js')), ['app.js']);
    });

    test('symlinks of source and destination stay inside their roots', () => {
      symlinkSync('/', join(source, 'door'));
      symlinkSync('../../../../', join(source, 'up'));
      fill({ inside: 'ours' });
      copy('door/inside', '/a');
      copy('up/inside', '/b');
      copy('../../inside', '/c');
      symlinkSync(directory, join(target, 'out'));
      copy('inside', '/out/canary');
      assert.deepEqual(files(), [join(directory, 'canary').slice(1), 'a', 'b', 'c', 'out'].toSorted());
    });

    test('a destination link loop is an error', () => {
      fill({ a: '' });
      symlinkSync('loop', join(target, 'loop'));
      assert.throws(() => copy('a', '/loop/x'), /too many levels/);
    });

    test('a file and a directory do not replace each other unasked', () => {
      fill({ 'f/x': '', g: '' });
      fill({ 'to/x/y': '' }, target);
      assert.throws(() => copy('f', '/to'), /it is a directory/);
      copy('f', '/to', {}, { replaceExisting: true });
      assert.deepEqual(files(), ['to/x']);
    });
  });

  suite('content keys', () => {
    const key = (path = '.', more: Partial<Selection> = {}, options: HashOptions = {}) =>
      hashSelection(source, [selection(path, more)], options);

    test('what counts and what does not (F2)', () => {
      fill({ 'd/a': '1', 'd/b': '2' });
      const before = key();
      const same = (change: () => void, want: boolean, what: string) => {
        change();
        assert.equal(key() === before, want, what);
      };
      same(() => utimesSync(join(source, 'd/a'), 1, 1), true, 'mtime');
      same(() => utimesSync(join(source, 'd'), 1, 1), true, 'mtime of a directory');
      same(() => writeFileSync(join(source, 'd/a'), '3'), false, 'content');
      same(() => writeFileSync(join(source, 'd/a'), '1'), true, 'content taken back');
      same(() => chmodSync(join(source, 'd/a'), 0o755), false, 'mode');
      same(() => chmodSync(join(source, 'd/a'), 0o644), true, 'mode taken back');
      same(() => fill({ 'd/c': '' }), false, 'another file');
      same(() => rmSync(join(source, 'd/c')), true, 'and gone again');
      same(() => mkdirSync(join(source, 'd/empty')), false, 'an empty directory');
    });

    test('names and contents are framed', () => {
      fill({ 'one/ab': 'c', 'two/a': 'bc', 'three/a/b': '', 'four/a': '' });
      const keys = ['one', 'two', 'three', 'four'].map((path) => key(path));
      assert.equal(new Set(keys).size, 4);
    });

    test('what a filter leaves out does not count', () => {
      fill({ 'a.js': '1', 'b.log': '1' });
      const options = { filter: { include: [], exclude: ['*.log'] } };
      const before = key('.', {}, options);
      fill({ 'b.log': '2', 'c.log': '' });
      assert.equal(key('.', {}, options), before);
      assert.equal(key('.', { exclude: ['*.log'] }), before);
    });

    test('an index saves reading but never hides a change with size and mtime kept', async () => {
      const indexFile = join(directory, 'index/file');
      fill({ a: 'old', b: 'x' });
      utimesSync(join(source, 'a'), 1, 1);
      const before = key('.', {}, { indexFile });
      // Only settled files enter the index.
      await new Promise((resolve) => setTimeout(resolve, 150));
      assert.equal(key('.', {}, { indexFile }), before);
      assert.ok(existsSync(indexFile));
      fill({ a: 'new' });
      utimesSync(join(source, 'a'), 1, 1);
      assert.notEqual(key('.', {}, { indexFile }), before);
      // A selection that sees other files forgets none of these.
      await new Promise((resolve) => setTimeout(resolve, 150));
      key('.', {}, { indexFile });
      const saved = readFileSync(indexFile, 'utf8');
      key('b', {}, { indexFile });
      assert.equal(readFileSync(indexFile, 'utf8'), saved);
      writeFileSync(indexFile, 'junk');
      fill({ a: 'old' });
      assert.equal(key('.', {}, { indexFile }), before);
    });
  });

  test('directories, files, links and removal inside a root', () => {
    const owner = { uid: 3, gid: 4 };
    makeDirectory(target, '/a/b', 0o750, { owner, parents: true, time: 1_000_000_000n });
    makeDirectory(target, 'a/b', 0o700, { owner, parents: true });
    assert.throws(() => makeDirectory(target, '/x/y', 0o755, { owner, parents: false }), /parent/);
    assert.throws(() => makeDirectory(target, '/a', 0o755, { owner, parents: false }), /exists/);
    makeFile(target, '/a/b/file', 0o604, Buffer.from('text'), { owner });
    makeSymlink(target, '../../../../canary', '/a/link', { owner });
    const stat = statSync(join(target, 'a/b'));
    assert.deepEqual([stat.mode & 0o777, stat.uid, stat.gid], [0o750, 3, 4]);
    makeFile(target, '/a/link', 0o644, Buffer.from('inside the root'), { owner });
    assert.equal(readFileSync(join(target, 'canary'), 'utf8'), 'inside the root');
    removeFiles(target, '/a/l*', { allowMissing: false, wildcard: true });
    assert.throws(() => removeFiles(target, '/nothing', { allowMissing: false, wildcard: false }), {
      code: 'not-found',
    });
    removeFiles(target, '/nothing', { allowMissing: true, wildcard: true });
    assert.deepEqual(files(), ['a/b/file', 'canary']);
  });

  test('modes in words', () => {
    const cases: [string, number, boolean, number][] = [
      ['755', 0o644, false, 0o755],
      ['0644', 0o4755, false, 0o644],
      ['u+x', 0o644, false, 0o744],
      ['a+rX', 0o600, false, 0o644],
      ['a+rX', 0o700, true, 0o755],
      ['u=rwX,go=rX', 0o600, true, 0o755],
      ['u=rwX,go=rX', 0o777, false, 0o755],
      ['go-rwx', 0o777, false, 0o700],
      ['+x', 0o644, false, 0o755],
      ['g=u', 0o700, false, 0o770],
      ['u+s', 0o755, false, 0o4755],
      ['u+s,g+s', 0o755, false, 0o6755],
      ['+t', 0o777, true, 0o1777],
      ['o=', 0o757, false, 0o750],
    ];
    for (const [words, mode, isDirectory, want] of cases)
      assert.equal(applyMode(words, mode, isDirectory), want, words);
    for (const bad of ['', 'x', '9', 'u~x', 'rwx', 'u+x,'])
      assert.throws(() => applyMode(bad, 0o644, false), /cannot use mode/, bad);
  });

  test('the pool answers, and passes errors on with their codes', async () => {
    fill({ a: '1' });
    const pool = new BulkPool(2);
    try {
      const [one, two] = await Promise.all([
        pool.run('readSelection', source, [selection('a')], {}),
        pool.run('readSelection', source, [selection('a')], {}),
      ]);
      assert.deepEqual(one, two);
      await assert.rejects(pool.run('readSelection', source, [selection('b', { wildcard: false })], {}), {
        code: 'not-found',
      });
      await assert.rejects(pool.run('digestLayer', join(directory, 'missing'), {}), { code: 'ENOENT' });
    } finally {
      await pool.close();
    }
  });
});
