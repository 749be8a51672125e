import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { cannotRun, eventually, finish, Sandbox } from './support/slipway.ts';

suite('slipway run', { skip: cannotRun }, () => {
  const sandbox = cannotRun ? undefined : new Sandbox();
  const use = (): Sandbox => {
    assert.ok(sandbox);
    return sandbox;
  };
  before(() => use().baseImage('busybox:latest'));
  after(() => sandbox?.[Symbol.asyncDispose]());
  const run = (...args: string[]) => use().run(['run', '--rm', ...args]);

  test('output, error output and exit code are the process’s own', async () => {
    const { code, stdout, stderr } = await run('busybox', 'sh', '-c', 'echo out; echo err >&2; exit 7');
    assert.deepEqual([code, stdout, stderr], [7, 'out\n', 'err\n']);
  });

  test('127 for a missing program, 126 for one that cannot be run, 125 for what the daemon cannot do', async () => {
    assert.equal((await run('busybox', 'no-such-program')).code, 127);
    assert.equal((await run('busybox', '/etc/passwd')).code, 126);
    assert.equal((await run('--no-such-flag', 'busybox')).code, 125);
    assert.equal((await run('--pull=never', 'no-such-image')).code, 125);
    assert.equal((await run('--network', 'no-such-network', 'busybox', 'true')).code, 125);
  });

  test('a process that a signal ended is 128 and the signal', async () => {
    const child = use().start(['run', '--rm', '--name', 'victim', 'busybox', 'sh', '-c', 'echo ready; sleep 1000']);
    let said = '';
    child.stdout?.on('data', (chunk) => {
      said += chunk;
    });
    const ended = finish(child);
    await eventually(() => said.includes('ready'), 'the process is ready');
    await use().ok('kill', 'victim');
    assert.equal((await ended).code, 137);
  });

  test('environment, directory, user, entrypoint, hostname', async () => {
    const show = 'echo $A $B; pwd; id -u; id -g; hostname';
    const { stdout } = await run(
      '-e',
      'A=1',
      '--env=B=two words',
      '-w',
      '/tmp',
      '-u',
      '33:100',
      '-h',
      'ship',
      '--entrypoint',
      'sh',
      'busybox',
      '-c',
      show,
    );
    assert.equal(stdout, '1 two words\n/tmp\n33\n100\nship\n');
    assert.equal((await run('-u', 'www-data', 'busybox', 'id', '-un')).stdout, 'www-data\n');
    assert.match((await run('-u', 'nobody-here', 'busybox', 'id')).stderr, /"nobody-here"/);
  });

  test('standard input reaches the process when it is wanted', async () => {
    const input = 'line\n'.repeat(100_000);
    const { stdout } = await use().run(['run', '--rm', '-i', 'busybox', 'cat'], { input });
    assert.equal(stdout, input);
    assert.equal((await use().run(['run', '--rm', 'busybox', 'cat'], { input: 'not taken' })).stdout, '');
  });

  test('large output arrives whole', async () => {
    const { stdout } = await run('busybox', 'sh', '-c', 'seq 1 300000');
    assert.equal(
      stdout.length,
      Array.from({ length: 300_000 }, (_, i) => `${i + 1}`.length + 1).reduce((a, b) => a + b),
    );
  });

  test('signals reach the process', async () => {
    const child = use().start([
      'run',
      '--rm',
      'busybox',
      'sh',
      '-c',
      'trap "echo got it; exit 3" TERM; echo ready; while :; do sleep 0.1; done',
    ]);
    let said = '';
    child.stdout?.on('data', (chunk) => {
      said += chunk;
    });
    const ended = finish(child);
    await eventually(() => said.includes('ready'), 'the process is ready');
    child.kill('SIGTERM');
    assert.equal((await ended).code, 3);
    assert.match(said, /got it/);
  });

  test('docker’s default rights, seen from inside', async () => {
    const { stdout } = await run('busybox', 'cat', '/proc/self/status');
    assert.match(stdout, /CapInh:\t0{16}\n/);
    const allowed = Number.parseInt(/CapEff:\t([0-9a-f]+)/.exec(stdout)?.[1] ?? '', 16);
    // CAP_SYS_ADMIN and CAP_NET_ADMIN.
    assert.equal(Math.floor(allowed / 2 ** 21) % 2, 0);
    assert.equal(Math.floor(allowed / 2 ** 12) % 2, 0);
    assert.match(stdout, /Seccomp:\t2\n/);
    const { stdout: masked } = await run(
      'busybox',
      'sh',
      '-c',
      'cat /proc/kcore 2>/dev/null | wc -c; ls /sys/firmware; touch /proc/sys/kernel/hostname 2>&1; mount -t tmpfs x /tmp 2>&1; echo end',
    );
    assert.match(masked, /^0\n/);
    assert.match(masked, /Read-only|denied|not permitted/);
  });

  test('--network none has the loopback only', async () => {
    assert.equal((await run('--network', 'none', 'busybox', 'sh', '-c', 'ls /sys/class/net')).stdout, 'lo\n');
  });

  test('a bind mount, read-only when asked', async () => {
    const directory = use().files('bound', { file: 'from the host\n' });
    const { stdout, code } = await run(
      '-v',
      `${directory}:/data:ro`,
      'busybox',
      'sh',
      '-c',
      'cat /data/file; touch /data/new',
    );
    assert.deepEqual([stdout, code], ['from the host\n', 1]);
    assert.deepEqual(readdirSync(directory), ['file']);
  });

  test('what a container writes is gone with it, and the image unchanged', async () => {
    await run('busybox', 'sh', '-c', 'echo x > /new; rm /etc/passwd');
    assert.equal(
      (await run('busybox', 'sh', '-c', 'test ! -e /new && test -e /etc/passwd && echo clean')).stdout,
      'clean\n',
    );
  });

  test('nothing is left: no container, no mount, no process', async () => {
    assert.equal(await use().ok('ps', '-aq'), '');
    const pid = readFileSync(`${use().root}/lock`, 'utf8').trim();
    await eventually(
      () => !readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes('/bundles/'),
      'no mount of a container',
    );
    assert.deepEqual(readdirSync(`${use().root}/containers`), []);
  });
});
