import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, suite, test } from 'node:test';
import { cannotRun, type Result, Sandbox } from './support/slipway.ts';

const hasDocker = spawnSync('docker', ['--version']).status === 0;

suite('exec in a running container', { skip: cannotRun }, () => {
  const sandbox = new Sandbox();
  before(async () => {
    await sandbox.baseImage('busybox:latest');
    await sandbox.ok('run', '-d', '--name', 'box', '-e', 'A=1', 'busybox', 'sleep', '1000');
  });
  after(() => sandbox[Symbol.asyncDispose]());

  const clients: readonly [string, string | false, (args: readonly string[], input?: string) => Promise<Result>][] = [
    ['slipway', false, (args, input = '') => sandbox.run(args, { input })],
    [
      'docker',
      hasDocker ? false : 'there is no docker client',
      (args, input = '') => sandbox.other('docker', ['-H', `unix://${sandbox.socket}`, ...args], { input }),
    ],
  ];
  for (const [name, skip, call] of clients) {
    test(`${name}: output, input, exit code, user, directory and environment`, { skip }, async () => {
      const script = 'id -u; pwd; echo $A $B; cat; echo err >&2; exit 7';
      const words = ['exec', '-i', '-u', '1000:5', '-w', '/tmp', '-e', 'B=2', 'box', 'sh', '-c', script];
      assert.deepEqual(await call(words, 'from here\n'), {
        code: 7,
        stdout: '1000\n/tmp\n1 2\nfrom here\n',
        stderr: 'err\n',
      });
    });

    test(`${name}: what cannot be started is told with docker's exit codes`, { skip }, async () => {
      const missing = await call(['exec', 'box', 'nosuch']);
      assert.equal(missing.code, 127);
      assert.match(missing.stdout, /exec: "nosuch": executable file not found in \$PATH/);
      assert.equal((await call(['exec', 'box', '/etc/passwd'])).code, 126);
      const nobody = await call(['exec', '-u', 'nobody-here', 'box', 'id']);
      assert.equal(nobody.code, 126);
      assert.match(nobody.stdout, /there is no user "nobody-here"/);
      const gone = await call(['exec', 'no-box', 'id']);
      assert.equal(gone.code, 1);
      assert.match(gone.stderr, /No such container: no-box/);
    });

    test(`${name}: in the background`, { skip }, async () => {
      assert.deepEqual(await call(['exec', '-d', 'box', 'sh', '-c', `echo ${name} > /tmp/${name}`]), {
        code: 0,
        stdout: '',
        stderr: '',
      });
      const wait = `while ! [ -s /tmp/${name} ]; do usleep 1000; done; cat /tmp/${name}`;
      assert.equal((await call(['exec', 'box', 'sh', '-c', wait])).stdout, `${name}\n`);
    });

    test(`${name}: megabytes go through whole`, { skip }, async () => {
      const input = 'all work and no play\n'.repeat(400_000);
      assert.equal((await call(['exec', '-i', 'box', 'cat'], input)).stdout, input);
    });
  }

  test('a container that has ended runs nothing', async () => {
    await sandbox.ok('run', '--name', 'ended', 'busybox', 'true');
    const { code, stderr } = await sandbox.run(['exec', 'ended', 'id']);
    assert.equal(code, 1);
    assert.match(stderr, /container [0-9a-f]{64} is not running/);
  });
});
