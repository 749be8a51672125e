import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { cannotRun, Sandbox } from './support/slipway.ts';

const buildctl = process.env.BUILDCTL ?? 'buildctl';
const missing = (command: string) =>
  spawnSync(command, ['--version']).error ? `there is no ${command} on this machine` : false;

suite('other clients and readers', { skip: cannotRun }, () => {
  const sandbox = cannotRun ? undefined : new Sandbox();
  const use = (): Sandbox => {
    assert.ok(sandbox);
    return sandbox;
  };
  let context: string;
  before(async () => {
    await use().baseImage('busybox:latest');
    context = use().files('context', {
      Dockerfile:
        'FROM busybox\nENV GREETING=hello\nLABEL who=us\nRUN mkdir /made && echo "$GREETING" > /made/file\nCMD ["cat", "/made/file"]\n',
    });
    await use().ok('build', '-q', '-t', 'peer', context);
  });
  after(() => sandbox?.[Symbol.asyncDispose]());
  const docker = async (...args: string[]) => {
    const { code, stdout, stderr } = await use().other('docker', ['-H', `unix://${use().socket}`, ...args]);
    assert.equal(code, 0, stderr);
    return stdout;
  };

  suite('the stock docker client', { skip: missing('docker') }, () => {
    test('lists the same images in the same columns', async () => {
      const fields = (table: string) => table.split('\n').map((line) => line.split(/ {2,}/));
      assert.deepEqual(fields(await docker('images')), fields(await use().ok('images')));
      assert.equal(await docker('images', '-q', '--no-trunc'), await use().ok('images', '-q', '--no-trunc'));
    });

    test('shows the same history', async () => {
      const format = ['--no-trunc', '--format', '{{.ID}} {{.CreatedBy}} {{.Size}} {{.Comment}}', 'peer'];
      assert.equal(await docker('history', ...format), await use().ok('history', ...format));
    });

    test('inspects, tags and removes', async () => {
      const [image] = JSON.parse(await docker('image', 'inspect', 'peer'));
      assert.deepEqual(
        [image.Config.Cmd, image.Config.Labels, image.Os],
        [['cat', '/made/file'], { who: 'us' }, 'linux'],
      );
      assert.deepEqual(JSON.parse(await use().ok('image', 'inspect', 'peer'))[0].Config, image.Config);
      await docker('tag', 'peer', 'peer:other');
      assert.match(await docker('rmi', 'peer:other'), /Untagged: peer:other/);
    });

    test('runs in the foreground, with input and exit code', async () => {
      assert.equal(await docker('run', '--rm', 'peer'), 'hello\n');
      const { code, stdout } = await use().other(
        'docker',
        ['-H', `unix://${use().socket}`, 'run', '--rm', '-i', '-e', 'A=1', 'peer', 'sh', '-c', 'cat; echo $A; exit 5'],
        { input: 'in\n' },
      );
      assert.deepEqual([code, stdout], [5, 'in\n1\n']);
      assert.equal(
        (await use().other('docker', ['-H', `unix://${use().socket}`, 'run', '--rm', 'peer', 'no-such-program'])).code,
        127,
      );
    });

    test('asks for version, info and disk usage', async () => {
      assert.match(await docker('version'), /Server:/);
      assert.match(await docker('info'), /Storage Driver: overlayfs/);
      assert.match(await docker('system', 'df'), /^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages/);
      assert.equal(await docker('ps', '-aq'), '');
    });

    test('an image that is not there is said to be missing', async () => {
      const { code, stderr } = await use().other('docker', [
        '-H',
        `unix://${use().socket}`,
        'image',
        'inspect',
        'nothing',
      ]);
      assert.equal(code, 1);
      assert.match(stderr, /No such image: nothing/i);
    });
  });

  suite('skopeo', { skip: missing('skopeo') }, () => {
    test('reads what -o type=oci wrote', async () => {
      const file = join(use().directory, 'image.tar');
      await use().ok('build', '-q', '-o', `type=oci,dest=${file}`, '-t', 'peer', context);
      assert.ok(statSync(file).size > 0);
      const { code, stdout, stderr } = await use().other('skopeo', ['inspect', '--config', `oci-archive:${file}`]);
      assert.equal(code, 0, stderr);
      const config = JSON.parse(stdout);
      assert.ok(config.config.Env.includes('GREETING=hello'));
      assert.equal(config.rootfs.diff_ids.length, 2);
      const copied = await use().other('skopeo', [
        'copy',
        '--quiet',
        `oci-archive:${file}`,
        `dir:${use().directory}/copied`,
      ]);
      assert.equal(copied.code, 0, copied.stderr);
    });

    test('reads what save wrote, and we load what it wrote', async () => {
      const saved = join(use().directory, 'saved.tar');
      await use().ok('save', '-o', saved, 'peer');
      const back = join(use().directory, 'back.tar');
      const copied = await use().other('skopeo', [
        'copy',
        '--quiet',
        `docker-archive:${saved}`,
        `docker-archive:${back}:again:latest`,
      ]);
      assert.equal(copied.code, 0, copied.stderr);
      await use().ok('load', '-i', back);
      assert.equal(await use().ok('run', '--rm', 'again'), 'hello\n');
    });
  });

  test('files come out with -o, as a directory and as an archive', async () => {
    const directory = join(use().directory, 'out');
    await use().ok('build', '-q', '-o', directory, context);
    const { stdout } = await use().other('cat', [join(directory, 'made/file')]);
    assert.equal(stdout, 'hello\n');
    const tar = join(use().directory, 'out.tar');
    await use().ok('build', '-q', '-o', `type=tar,dest=${tar}`, context);
    assert.match((await use().other('tar', ['-tf', tar])).stdout, /^made\/file$/m);
  });

  suite('buildctl', { skip: missing(buildctl) }, () => {
    const call = async (...args: string[]) => {
      const address = ['--addr', `unix://${use().socket}`];
      const { code, stdout, stderr } = await use().other(buildctl, [...address, ...args]);
      assert.equal(code, 0, stderr);
      return stdout + stderr;
    };

    test('builds with our frontend, into our store and out to a directory', async () => {
      const out = join(use().directory, 'buildctl-out');
      const solve = ['build', '--progress=plain', '--frontend=dockerfile.v0', `--local=context=${context}`];
      const said = await call(...solve, `--local=dockerfile=${context}`, `--output=type=local,dest=${out}`);
      assert.match(said, /CACHED/);
      assert.equal(readFileSync(join(out, 'made/file'), 'utf8'), 'hello\n');
      await call(...solve, `--local=dockerfile=${context}`, '--output=type=image,name=docker.io/library/from-buildctl');
      assert.equal(await use().ok('run', '--rm', 'from-buildctl'), 'hello\n');
    });

    test('sees the worker and what the cache takes', async () => {
      assert.match(await call('debug', 'workers'), /linux\/amd64|linux\/arm64/);
      assert.match(await call('du'), /Total:/);
    });
  });
});
