import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { cannotRun, eventually, projectRoot, Sandbox } from './support/slipway.ts';

const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
const nobodyCannot =
  spawnSync('setpriv', [...nobody, join(projectRoot, 'bin/slipway'), '--version']).status === 0
    ? false
    : 'another user cannot read the program where it lies';

suite('the daemon', { skip: cannotRun }, () => {
  test('starts with the first command, tells where it listens, and stops', async () => {
    await using sandbox = new Sandbox();
    const { code, stdout } = await sandbox.run(['daemon', 'status']);
    assert.deepEqual([code, stdout], [1, `no daemon runs on ${sandbox.root}\n`]);
    await sandbox.ok('images');
    assert.match(
      await sandbox.ok('daemon', 'status'),
      new RegExp(`process \\d+ and listens on unix://${sandbox.socket}`),
    );
    await sandbox.ok('daemon', 'stop');
    assert.equal((await sandbox.run(['daemon', 'status'])).code, 1);
  });

  test('eight first commands at once share one', async () => {
    await using sandbox = new Sandbox();
    const results = await Promise.all(Array.from({ length: 8 }, () => sandbox.run(['images'])));
    assert.deepEqual(new Set(results.map(({ code, stderr }) => `${code} ${stderr}`)), new Set(['0 ']));
    assert.match(await sandbox.ok('daemon', 'status'), /runs as process/);
  });

  test('two of them side by side know nothing of each other', async () => {
    await using one = new Sandbox();
    await using other = new Sandbox();
    await one.run(['import', '-', 'mine'], { input: new Uint8Array(1024) });
    assert.match(await one.ok('images'), /mine/);
    assert.doesNotMatch(await other.ok('images'), /mine/);
  });

  test('ends when it has had nothing to do', async () => {
    await using sandbox = new Sandbox();
    mkdirSync(sandbox.root);
    const daemon = sandbox.start(['daemon', '--idle-exit', '200']);
    const ended = new Promise((resolve) => daemon.once('close', resolve));
    await eventually(() => existsSync(sandbox.socket), 'it listens');
    assert.equal(await ended, 0);
    assert.ok(!existsSync(sandbox.socket));
  });

  test('no permission: for its socket, and to start one', { skip: nobodyCannot }, async () => {
    await using sandbox = new Sandbox();
    await sandbox.ok('images');
    const asNobody = (environment: NodeJS.ProcessEnv) =>
      sandbox.other('setpriv', [...nobody, join(projectRoot, 'bin/slipway'), 'images'], { cwd: '/', env: environment });
    const socket = await asNobody({ SLIPWAY_HOST: `unix://${sandbox.socket}` });
    assert.equal(socket.code, 1);
    assert.match(
      socket.stderr,
      /^slipway: cannot connect to the daemon at "unix:.*": permission denied\nrun it with sudo\n$/,
    );
    const start = await asNobody({ SLIPWAY_ROOT: '/nonexistent' });
    assert.deepEqual([start.code, start.stdout], [1, '']);
    assert.match(start.stderr, /^slipway: cannot start the daemon: mounts and containers need root\nrun it with sudo/);
    await sandbox.ok('images');
  });
});
