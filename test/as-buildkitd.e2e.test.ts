import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { cannotRun, eventually, finish, projectRoot, Sandbox } from './support/slipway.ts';

suite('under the name of buildkitd', { skip: cannotRun, concurrency: true }, () => {
  test('its flags and its configuration', async () => {
    await using sandbox = new Sandbox();
    const { directory, root, socket } = sandbox;
    sandbox.files('config', {
      'buildkitd.toml': `root = "${root}"\n[grpc]\naddress = ["unix://${socket}"]\n[worker.oci.labels]\nfloor = "third"\n`,
    });
    symlinkSync(join(projectRoot, 'bin/slipway'), join(directory, 'buildkitd'));
    const daemon = spawn(
      join(directory, 'buildkitd'),
      [
        '--config',
        join(directory, 'config/buildkitd.toml'),
        '--oci-worker=true',
        '--containerd-worker=false',
        '--oci-worker-gc=false',
        '--oci-worker-labels=org.example.side=left,org.example.door=red',
        '--allow-insecure-entitlement=security.insecure',
        '--debug',
      ],
      { stdio: 'pipe' },
    );
    const ended = finish(daemon);
    await eventually(() => existsSync(socket), 'the socket is there');
    const listed = await sandbox.ok('buildx', 'inspect');
    for (const label of ['floor', 'org.example.side', 'org.example.door']) assert.ok(listed.includes(label), listed);
    await sandbox.baseImage('busybox:latest');
    const context = sandbox.files('mounting', {
      Dockerfile: 'FROM busybox\nRUN --security=insecure mount -t tmpfs none /tmp\n',
    });
    const refused = await sandbox.run(['build', context]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /security\.insecure is not allowed/);
    await sandbox.ok('build', '--allow', 'security.insecure', context);
    daemon.kill('SIGTERM');
    assert.equal((await ended).code, 0);
  });

  test('what is wrong in its configuration is shown with its place', async () => {
    await using sandbox = new Sandbox();
    sandbox.files('config', { 'broken.toml': 'debug = true\nroot = \n' });
    const { code, stderr } = await sandbox.run(['daemon', '--config', join(sandbox.directory, 'config/broken.toml')]);
    assert.equal(code, 1);
    assert.match(stderr, /broken\.toml": line 2, column \d+/);
  });
});

suite('what a step may do', { skip: cannotRun, concurrency: true }, () => {
  test('CVE-2024-23653: not more than daemon and client allow', async () => {
    await using sandbox = new Sandbox();
    await sandbox.baseImage('busybox:latest');
    const insecure = sandbox.files('insecure', { Dockerfile: 'FROM busybox\nRUN --security=insecure id\n' });
    const { code, stderr } = await sandbox.run(['build', '--allow', 'security.insecure', insecure]);
    assert.equal(code, 1);
    assert.match(stderr, /granting entitlement security\.insecure is not allowed by build daemon configuration/);
    const network = sandbox.files('network', { Dockerfile: 'FROM busybox\nRUN --network=host true\n' });
    assert.match((await sandbox.run(['build', network])).stderr, /network\.host is not allowed/);
    await sandbox.ok('build', '--allow', 'network.host', network);
    await sandbox.ok('build', '--network', 'host', network);
  });
});
