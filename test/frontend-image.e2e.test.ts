import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { build } from 'esbuild';
import { cannotRun, projectRoot, type Result, Sandbox } from './support/slipway.ts';

const dockerfile = `# syntax=test/frontend
FROM busybox
RUN echo made > /made
`;

const newerThanNode20 = `Promise.withResolvers ??= () => {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
};`;

/** Whether a process with this command line is there. */
function runs(command: string): boolean {
  return readdirSync('/proc').some((name) => {
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'latin1') === command;
    } catch {
      // No process, or one that has just ended.
      return false;
    }
  });
}

suite('frontends from images', { skip: cannotRun }, () => {
  const sandbox = cannotRun ? undefined : new Sandbox();
  const use = (): Sandbox => {
    assert.ok(sandbox);
    return sandbox;
  };
  before(async () => {
    await use().baseImage('busybox:latest');
    await use().baseImage('node:20-alpine');
    const program = await build({
      entryPoints: [join(projectRoot, 'test/support/frontend-program.ts')],
      bundle: true,
      write: false,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      banner: { js: newerThanNode20 },
    });
    const context = use().files('frontend', {
      'program.mjs': program.outputFiles[0]?.contents ?? '',
      Dockerfile: 'FROM node:20-alpine\nCOPY program.mjs /\nENTRYPOINT ["node", "/program.mjs"]\n',
    });
    await use().ok('build', '-q', '-t', 'test/frontend', context);
  });
  after(() => sandbox?.[Symbol.asyncDispose]());

  const buildWith = (mode: string, ...flags: string[]): Promise<Result> => {
    const context = use().files('context', { Dockerfile: dockerfile });
    return use().run(['build', '--progress=plain', '--build-arg', `MODE=${mode}`, ...flags, context]);
  };

  test('a file names its frontend, which asks the builder and answers with a result', async () => {
    const { code, stderr } = await buildWith('forward', '-t', 'made');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /\[frontend\] test\/frontend/);
    assert.match(stderr, /found made, 1 worker/);
    assert.equal(await use().ok('run', '--rm', 'made', 'cat', '/made'), 'made\n');
  });

  test('the client may name it instead of the file', async () => {
    const context = use().files('plain', { Dockerfile: 'FROM busybox\nRUN echo made > /made\n' });
    const { code, stderr } = await use().run([
      'build',
      '--progress=plain',
      '--build-arg',
      'BUILDKIT_SYNTAX=test/frontend',
      context,
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /found made/);
  });

  test('docker/dockerfile in any channel is the frontend that is built in', async () => {
    for (const image of [
      'docker/dockerfile:1',
      'docker/dockerfile:1.7-labs',
      'docker.io/docker/dockerfile-upstream:master',
    ]) {
      const context = use().files('builtin', { Dockerfile: `# syntax=${image}\nFROM scratch\nLABEL a=b\n` });
      const { code, stderr } = await use().run(['build', '--progress=plain', context]);
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stderr, /\[frontend\]/);
    }
  });

  test('its error is the build’s, and points at the line that asked for it', async () => {
    const { code, stderr } = await buildWith('error');
    assert.notEqual(code, 0);
    assert.match(stderr, /the file is written in verse/);
    assert.match(stderr, /1 \| >>> # syntax=test\/frontend/);
  });

  test('it runs processes of its own; what it leaves behind ends with it', async () => {
    const { code, stderr } = await buildWith('containers');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /kept no \(7\) and kept/);
    assert.match(stderr, /container "first" previously released or not created; .*network.host is not allowed/);
    assert.ok(!runs('sleep\x0098765\0'));
  });

  test('B22: one that crashes, says nothing or speaks nonsense ends the build and nothing else', async () => {
    const crash = await buildWith('crash');
    assert.match(crash.stderr, /the frontend "test\/frontend" ended with exit code 3 and no result: out of ideas/);
    const silent = await buildWith('silent');
    assert.match(silent.stderr, /ended with exit code 0 and no result/);
    const junk = await buildWith('junk');
    assert.match(junk.stderr, /ended with exit code 1 and no result/);
    for (const { code } of [crash, silent, junk]) assert.notEqual(code, 0);
    assert.equal((await buildWith('forward')).code, 0);
  });

  test('B22: one that asks for itself is stopped', async () => {
    const { code, stderr } = await buildWith('recurse');
    assert.notEqual(code, 0);
    assert.match(stderr, /frontends ask for each other more than 8 deep/);
  });

  test('B22, CVE-2024-23650, CVE-2026-33747: malformed requests are answered with errors and reach nothing outside', async () => {
    const { code, stderr } = await buildWith('attack');
    assert.notEqual(code, 0);
    assert.match(stderr, /all tried/);
    const done = stderr.match(/^#\d+ [\d.]+ (.*): done$/gm) ?? [];
    // Both stay inside of a root of their own.
    const harmless = /a path out of the root|a pattern without an end|an empty definition/;
    assert.deepEqual(
      done.filter((line) => !harmless.test(line)),
      [],
      stderr,
    );
    for (const place of ['/canary-made', join(use().root, 'canary-made'), join(use().directory, 'canary-made')])
      assert.ok(!existsSync(place), place);
    assert.equal((await buildWith('forward')).code, 0);
  });
});
