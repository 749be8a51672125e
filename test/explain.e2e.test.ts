import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { Explanation } from '../src/cli/build/explain/explain-steps.ts';
import { cannotRun, Sandbox } from './support/slipway.ts';

suite('slipway build --explain', { skip: cannotRun }, () => {
  const sandbox = cannotRun ? undefined : new Sandbox();
  const use = (): Sandbox => {
    assert.ok(sandbox);
    return sandbox;
  };
  let context: string;
  before(async () => {
    await use().baseImage('busybox:latest');
    context = use().files('context', {
      Dockerfile: 'FROM busybox\nARG MODE=a\nCOPY src /src\nRUN sleep 0.2 && touch /made\nRUN echo $MODE\n',
      'src/one': '1',
      'src/two': '2',
    });
  });
  after(() => sandbox?.[Symbol.asyncDispose]());
  const explain = async (...args: string[]): Promise<Explanation> =>
    JSON.parse(
      await use()
        .ok('build', '--progress=quiet', '--explain=json', ...args, context)
        .then(jsonIn),
    );

  test('the first build, then one that runs nothing', async () => {
    const first = await explain();
    assert.equal(first.comparedWith, undefined);
    assert.equal(first.ran.length, 3);
    const second = await explain();
    assert.ok(second.comparedWith);
    assert.deepEqual([second.ran, second.cached], [[], 3]);
  });

  test('files of a COPY, and what follows it', async () => {
    writeFileSync(join(context, 'src/one'), 'other');
    writeFileSync(join(context, 'src/three'), '3');
    const { ran, advice } = await explain();
    assert.deepEqual(ran[0]?.reasons, [
      { kind: 'file', path: 'src/one', change: 'changed' },
      { kind: 'file', path: 'src/three', change: 'added' },
    ]);
    assert.deepEqual(ran[0]?.lines, [3, 3]);
    assert.deepEqual(ran[1]?.reasons, [{ kind: 'earlier-step', step: '[2/4] COPY src /src' }]);
    assert.ok((advice[0]?.savedSeconds ?? 0) >= 0.2);
  });

  test('an argument: only for the steps that see it', async () => {
    const { ran } = await explain('--build-arg', 'MODE=b');
    assert.ok(ran.length > 0);
    for (const { reasons } of ran) {
      assert.ok(
        reasons.some((reason) => reason.kind === 'fact' && /MODE|command/.test(reason.name)) ||
          reasons.every(({ kind }) => kind === 'earlier-step'),
      );
    }
  });

  test('--no-cache; and the text for people goes beside the progress', async () => {
    const { code, stdout, stderr } = await use().run(['build', '-q', '--explain', '--no-cache', context]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/);
    assert.match(stderr, /3 steps ran, 0 cached, compared with the build of .*you asked for it: --no-cache/s);
  });

  test('secrets in arguments are not kept', async () => {
    const { ran } = await explain('--build-arg', 'MODE=https://me:hunter2@example.com/');
    assert.doesNotMatch(JSON.stringify(ran), /hunter2/);
  });

  test('what cannot be explained that way is refused before the build', async () => {
    const { code, stderr } = await use().run(['build', '--explain=xml', context]);
    assert.equal(code, 1);
    assert.match(stderr, /cannot explain the build as "xml"/);
  });
});

/** The image's ID, which a quiet build prints first, is no JSON. */
function jsonIn(stdout: string): string {
  return stdout.slice(stdout.indexOf('{'));
}
