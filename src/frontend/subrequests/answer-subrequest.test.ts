import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fakeGateway } from '../frontend-fixture.ts';
import { solveDockerfile } from '../solve-dockerfile.ts';
import { type LintResults, readLintResults } from './lint-results.ts';

const testdata = join(import.meta.dirname, 'testdata');

async function ask(requestId: string, dockerfile: string | Uint8Array, more: Readonly<Record<string, string>> = {}) {
  const { metadata, refs } = await solveDockerfile(fakeGateway({ files: { Dockerfile: dockerfile } }), {
    options: new Map(Object.entries({ requestid: requestId, ...more })),
    inputs: new Map(),
  });
  const text = (key: string) => Buffer.from(metadata.get(key) ?? '').toString();
  return { keys: [...metadata.keys()], refs, text, json: JSON.parse(text('result.json')) };
}

async function lint(dockerfile: string, more: Readonly<Record<string, string>> = {}): Promise<LintResults> {
  return readLintResults((await ask('frontend.lint', dockerfile, more)).text('result.json'));
}

/** The texts are what BuildKit 0.32 answers; there is none where it fails. */
suite("a Dockerfile's lint, outline and targets", () => {
  for (const name of readdirSync(testdata)) {
    const dockerfile = readFileSync(join(testdata, name, 'Dockerfile'));
    for (const request of ['lint', 'outline', 'targets']) {
      test(`${name}: ${request}`, async () => {
        const file = join(testdata, name, `${request}.txt`);
        if (!existsSync(file)) return assert.rejects(ask(`frontend.${request}`, dockerfile));
        const answer = await ask(`frontend.${request}`, dockerfile);
        assert.equal(answer.text('result.txt'), readFileSync(file, 'utf8'));
        assert.equal(answer.text('version'), '1.0.0');
      });
    }
  }
});

suite('requests', () => {
  test('describe lists what BuildKit lists', async () => {
    const { json, text, keys } = await ask('frontend.subrequests.describe', 'FROM scratch\n');
    assert.deepEqual(keys, ['result.json', 'result.txt', 'version']);
    assert.deepEqual(
      json.map((each: { name: string }) => each.name),
      ['frontend.outline', 'frontend.targets', 'frontend.subrequests.describe'],
    );
    assert.match(text('result.txt'), /^NAME {17}VERSION DESCRIPTION\noutline {14}1\.0\.0 {3}List all parameters/);
  });

  test('one that nobody knows', async () => {
    await assert.rejects(ask('frontend.nope', 'FROM scratch\n'), /unsupported request frontend\.nope/);
  });

  test('the status of a lint tells whether something was found', async () => {
    const { keys, text } = await ask('frontend.lint', 'FROM scratch\nCMD a\n');
    assert.deepEqual(keys, ['result.json', 'result.txt', 'result.statuscode', 'version']);
    assert.equal(text('result.statuscode'), '1');
    assert.equal((await ask('frontend.lint', 'FROM scratch\nCMD ["a"]\n')).text('result.statuscode'), '0');
  });

  test("Go's JSON escapes what HTML does, and has null for no warnings", async () => {
    const { text } = await ask('frontend.outline', 'FROM scratch\n# A is <b> & c\nARG A=<>\n');
    assert.match(text('result.json'), /"value": "\\u003c\\u003e"/);
    assert.equal((await lint('FROM scratch\n')).warnings, null);
  });

  test('a line that goes on has a range for each line', async () => {
    const [warning] = (await lint('FROM scratch\nCMD a \\\n  b\n')).warnings ?? [];
    assert.deepEqual(warning?.location, {
      ranges: [
        { start: { line: 2 }, end: { line: 2 } },
        { start: { line: 3 }, end: { line: 3 } },
      ],
    });
  });
});

suite('lint of a build', () => {
  const rules = (results: LintResults) => (results.warnings ?? []).map(({ ruleName }) => ruleName);

  test('all errors of the file are part of the answer', async () => {
    const { buildError, warnings } = await lint('FROM scratch\nRUNN x\nMAINTAINER me\nCOPY a\n');
    assert.match(buildError?.message ?? '', /:2: .*\n.*:4: /);
    assert.equal(buildError?.location.ranges?.length, 2);
    assert.deepEqual(rules({ warnings: warnings ?? [], sources: [] }), ['MaintainerDeprecated']);
  });

  test('an image that is not there is the error, with its line', async () => {
    const { buildError } = await lint('FROM scratch\nFROM nowhere\n');
    assert.match(buildError?.message ?? '', /nowhere.*not found/);
    assert.equal(buildError?.location.ranges?.[0]?.start.line, 2);
  });

  test('error=true makes warnings an error', async () => {
    const { buildError } = await lint('# check=error=true\nFROM scratch\nMAINTAINER a\nCMD a\n');
    assert.deepEqual(buildError, {
      message: 'lint violation found for rules: MaintainerDeprecated, JSONArgsRecommended',
      location: {},
    });
  });

  test('all stages are looked into unless there is a target', async () => {
    const file = 'FROM scratch AS a\nMAINTAINER a\nCMD x\nFROM scratch AS b\nCMD y\n';
    assert.equal(rules(await lint(file)).length, 3);
    assert.deepEqual(rules(await lint(file, { target: 'b' })), ['MaintainerDeprecated', 'JSONArgsRecommended']);
  });

  test("BUILDKIT_DOCKERFILE_CHECK takes the place of the file's own options", async () => {
    const file = '# check=skip=all\nFROM scratch\nMAINTAINER a\nCMD x\n';
    assert.deepEqual(rules(await lint(file)), []);
    const given = { 'build-arg:BUILDKIT_DOCKERFILE_CHECK': 'skip=JSONArgsRecommended' };
    assert.deepEqual(rules(await lint(file, given)), ['MaintainerDeprecated']);
  });

  test("variables of the base image are known, others aren't", async () => {
    assert.deepEqual(rules(await lint('FROM busybox\nLABEL a=$FOO b=$PATH c=$BAR\n')), ['UndefinedVar']);
  });

  test('what .dockerignore leaves out cannot be copied', async () => {
    const gateway = fakeGateway({ files: { Dockerfile: 'FROM scratch\nCOPY a/b /\n', '.dockerignore': 'a\n' } });
    const options = new Map([['requestid', 'frontend.lint']]);
    const { metadata } = await solveDockerfile(gateway, { options, inputs: new Map() });
    const text = Buffer.from(metadata.get('result.txt') ?? '').toString();
    assert.match(text, /Attempting to Copy file "a\/b" that is excluded by \.dockerignore/);
  });
});

suite('warnings of a build', () => {
  test('go to the client once, also for two platforms', async () => {
    const gateway = fakeGateway({ files: { Dockerfile: 'FROM scratch\nMAINTAINER a\n' } });
    const options = new Map([['platform', 'linux/amd64,linux/arm64']]);
    await solveDockerfile(gateway, { options, inputs: new Map() });
    const [warning, ...others] = gateway.warnings;
    assert.deepEqual(others, []);
    assert.equal(
      warning?.short,
      'MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label (line 2)',
    );
    assert.match(warning.url, /\/maintainer-deprecated\/$/);
    assert.match(warning.vertex ?? '', /^sha256:/);
  });

  test('fail the build with error=true, and only those of the stages that it needs count', async () => {
    const Dockerfile = '# check=error=true\nFROM scratch AS a\nCMD x\nFROM scratch AS b\nCMD ["y"]\n';
    const solve = (target: string) =>
      solveDockerfile(fakeGateway({ files: { Dockerfile } }), {
        options: new Map([['target', target]]),
        inputs: new Map(),
      });
    await assert.rejects(solve('a'), { message: 'lint violation found for rules: JSONArgsRecommended' });
    assert.ok(await solve('b'));
  });
});
