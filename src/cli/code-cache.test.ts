import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';

const program = `
  import { createRequire } from 'node:module';
  import { loadWithCodeCache } from ${JSON.stringify(import.meta.resolve('./code-cache.ts'))};
  const [file, name] = process.argv.slice(1);
  const { exports, keep } = loadWithCodeCache(file, name || undefined, createRequire(file));
  console.log(exports.answer());
  keep();
`;

function setUp(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'code-cache-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'program.cjs');
  const write = (answer: number) => writeFileSync(file, `exports.answer = function answer() { return ${answer}; };`);
  // In a process of its own each time: V8 remembers what it has compiled in this one.
  const run = (name?: string) => {
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program, file, name ?? ''], {
      encoding: 'utf8',
    });
    return Number(stdout);
  };
  const stored = () =>
    readdirSync(directory).flatMap((name) => (name === 'code-cache' ? readdirSync(join(directory, name)) : []));
  return { file, cache: (name: string) => join(directory, 'code-cache', name), write, run, stored };
}

test('a program runs from its file and again from what was kept of it', (t) => {
  const { write, run, stored } = setUp(t);
  write(41);
  assert.equal(run('build'), 41);
  assert.deepEqual(stored(), [`${process.version}-${process.arch}-build`]);
  assert.equal(run('build'), 41);
});

test('without a name nothing is kept', (t) => {
  const { write, run, stored } = setUp(t);
  write(41);
  assert.equal(run(), 41);
  assert.deepEqual(stored(), []);
});

test('what was kept of an older program is not used, even when both are of one length', (t) => {
  const { file, write, run } = setUp(t);
  write(41);
  run('build');
  write(42);
  const later = Date.now() / 1000 + 10;
  utimesSync(file, later, later);
  assert.equal(run('build'), 42);
});

test('a damaged cache is passed over and replaced', (t) => {
  const { write, run, stored, cache } = setUp(t);
  write(41);
  run('build');
  const [name = ''] = stored();
  const whole = readFileSync(cache(name));
  for (const damaged of [Buffer.alloc(0), whole.subarray(0, whole.length / 2), Buffer.alloc(whole.length)]) {
    writeFileSync(cache(name), damaged);
    assert.equal(run('build'), 41);
    assert.equal(readFileSync(cache(name)).length, whole.length);
    assert.deepEqual(stored(), [name]);
  }
});
