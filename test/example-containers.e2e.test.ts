import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { cannotRun, eventually, projectRoot, Sandbox } from './support/slipway.ts';

/** The course's examples as containers: what runs in them, who hears a signal, what stays when they are gone. */
suite('the examples, run', { skip: cannotRun }, () => {
  const sandbox = cannotRun ? undefined : new Sandbox();
  const use = (): Sandbox => {
    assert.ok(sandbox);
    return sandbox;
  };
  const directoryOf = (example: string) => join(projectRoot, 'examples', example);
  const build = (example: string, tag: string, file = 'Dockerfile') =>
    use().ok('build', '-q', '-t', tag, '-f', join(directoryOf(example), file), directoryOf(example));
  const run = (...args: string[]) => use().ok('run', '--rm', ...args);
  const lines = async (...args: string[]) => (await use().ok(...args)).split('\n').filter((line) => line !== '');

  before(async () => {
    await use().baseImage('busybox:latest');
    for (const number of [1, 2, 3])
      await build('03_entrypoint_vs_cmd', `entrypointcmd:v${number}`, `Dockerfile_0${number}`);
    await build('04_volumes', 'test_volume');
  });
  after(() => sandbox?.[Symbol.asyncDispose]());

  test('03: arguments are appended to ENTRYPOINT, --entrypoint replaces it', async () => {
    assert.equal(await run('entrypointcmd:v1'), 'visible\n');
    assert.match(await run('entrypointcmd:v1', '-la'), /^total [\s\S]* \.hidden\n[\s\S]* visible\n$/);
    assert.match(await run('--entrypoint', 'ps', 'entrypointcmd:v1', 'aux'), /^ +1 root +ps aux$/m);
  });

  test('03: CMD is replaced by arguments; after an ENTRYPOINT it is its default arguments', async () => {
    assert.equal(await run('entrypointcmd:v2'), 'visible\n');
    assert.match(await run('entrypointcmd:v2', 'ls', '-la'), /\.hidden\n/);
    assert.equal(await run('entrypointcmd:v3'), '.\n..\n.hidden\nvisible\n');
    assert.match(await run('entrypointcmd:v3', '-l'), /^total [\s\S]*visible\n$/);
    assert.doesNotMatch(await run('entrypointcmd:v3', '-l'), /\.hidden/);
  });

  test('03: of several, the last one counts; a new ENTRYPOINT forgets the CMD of its base', async () => {
    const several = use().files('several', {
      Dockerfile: 'FROM busybox\nENTRYPOINT ["false"]\nENTRYPOINT ["echo"]\nCMD ["first"]\nCMD ["last"]\n',
    });
    await use().ok('build', '-q', '-t', 'several', several);
    assert.equal(await run('several'), 'last\n');
    const reset = use().files('reset', { Dockerfile: 'FROM several\nENTRYPOINT ["echo", "only"]\n' });
    await use().ok('build', '-q', '-t', 'reset', reset);
    assert.equal(await run('reset'), 'only\n');
    const nothing = use().files('nothing', { Dockerfile: 'FROM scratch\nCOPY x /\n', x: '' });
    await use().ok('build', '-q', '-t', 'nothing', nothing);
    const refused = await use().run(['run', '--rm', 'nothing']);
    assert.equal(refused.code, 125);
    assert.match(refused.stderr, /[Nn]o command specified/);
  });

  test('03: exec form is process 1 and stops at once; shell form hears nothing and is killed', async () => {
    for (const [form, file, code] of [
      ['exec', 'Dockerfile_04', '0'],
      ['shell', 'Dockerfile_05', '137'],
    ] as const) {
      await build('03_entrypoint_vs_cmd', `run_${form}`, file);
      await use().ok('run', '-d', '--name', form, `run_${form}`);
      await eventually(async () => (await use().ok('logs', form)).includes('ticking'), 'the clock ticks');
      await use().ok('stop', '-t', form === 'exec' ? '60' : '1', form);
      assert.equal(await use().ok('inspect', '-f', '{{.State.ExitCode}}', form), `${code}\n`);
      assert.equal((await use().ok('logs', form)).includes('stopping in good order'), form === 'exec');
      await use().ok('rm', form);
    }
  });

  test('04: VOLUME makes a volume for each container, filled from the image; a named one takes its place', async () => {
    assert.deepEqual(await lines('volume', 'ls', '-q'), []);
    await use().ok('run', '-d', '-v', 'uploads_data:/uploads', '--name', 'test', 'test_volume');
    const mounts: { Type: string; Name: string; Destination: string }[] = JSON.parse(
      await use().ok('container', 'inspect', '-f', '{{json .Mounts}}', 'test'),
    );
    const named = new Map(mounts.map(({ Destination, Name }) => [Destination, Name]));
    assert.equal(named.get('/uploads'), 'uploads_data');
    assert.match(named.get('/data') ?? '', /^[0-9a-f]{64}$/);
    assert.deepEqual((await lines('volume', 'ls', '-q')).toSorted(), [...named.values()].toSorted());
    assert.equal(await run('--volumes-from', 'test', 'busybox', 'cat', '/data/greeting'), 'Hello from the image\n');

    // Volumes outlive their container; the next one gets an anonymous volume of its own.
    await use().ok('stop', 'test');
    assert.equal((await lines('volume', 'ls', '-q')).length, 2);
    await use().ok('rm', 'test');
    assert.equal((await lines('volume', 'ls', '-q')).length, 2);
    await use().ok('run', '-d', '-v', 'uploads_data:/uploads', '--name', 'test', 'test_volume');
    assert.equal((await lines('volume', 'ls', '-q')).length, 3);
    const used = await use().run(['volume', 'rm', 'uploads_data']);
    assert.equal(used.code, 1);
    assert.match(used.stderr, /in use/);

    await use().ok('stop', 'test');
    await use().ok('rm', '-v', 'test');
    assert.equal((await lines('volume', 'ls', '-q')).length, 2);
    await use().ok('volume', 'prune', '-f');
    assert.deepEqual(await lines('volume', 'ls', '-q'), ['uploads_data']);
    await use().ok('volume', 'rm', 'uploads_data');
    assert.deepEqual(await lines('volume', 'ls', '-q'), []);
  });

  test('04: a volume cannot name a directory of the host; --rm takes the anonymous volumes along', async () => {
    mkdirSync(join(use().directory, 'host'));
    const context = use().files('hostvolume', { Dockerfile: `FROM busybox\nVOLUME ${use().directory}/host:/data\n` });
    await use().ok('build', '-q', '-t', 'hostvolume', context);
    await run('hostvolume', 'true');
    await run('test_volume', 'true');
    assert.deepEqual(await lines('volume', 'ls', '-q'), []);
  });
});
