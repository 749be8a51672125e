import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { clientsOf } from './support/clients.ts';
import { cannotRun, eventually, Sandbox } from './support/slipway.ts';

suite('files of containers', { skip: cannotRun }, () => {
  const sandbox = new Sandbox();
  const script =
    'echo new > /etc/new; rm /etc/group; mkdir -p /a/b; echo v > /data/v; ln -s /etc/new /link; echo ready; sleep 1000';
  before(async () => {
    await sandbox.baseImage('busybox:latest');
    await sandbox.ok('run', '-d', '--name', 'box', '-v', 'data:/data', 'busybox', 'sh', '-c', script);
    await eventually(async () => (await sandbox.ok('logs', 'box')) === 'ready\n', 'the container is ready');
    await sandbox.ok('run', '--name', 'ended', '-v', 'data:/data', 'busybox', 'sh', '-c', 'mkdir /w; echo x > /w/x');
  });
  after(() => sandbox[Symbol.asyncDispose]());

  for (const { name, skip, call } of clientsOf(sandbox)) {
    const ok = async (...args: string[]) => {
      const { code, stdout, stderr } = await call(args);
      assert.equal(code, 0, `${args.join(' ')}\n${stderr}`);
      return stdout;
    };

    test(`${name}: cp out of containers that run and that do not`, { skip }, async () => {
      const here = sandbox.files(`out-${name}`, {});
      mkdirSync(here);
      await ok('cp', 'box:/etc/new', here);
      await ok('cp', 'box:/etc/new', join(here, 'renamed'));
      await ok('cp', 'box:/data', join(here, 'data'));
      await ok('cp', 'box:/data/.', here);
      await ok('cp', 'box:/link', here);
      await ok('cp', '-L', 'box:/link', join(here, 'followed'));
      await ok('cp', 'ended:/w', here);
      await ok('cp', 'ended:/data/v', join(here, 'from-volume'));
      const text = (path: string) => readFileSync(join(here, path), 'utf8');
      assert.deepEqual(['new', 'renamed', 'followed'].map(text), ['new\n', 'new\n', 'new\n']);
      assert.deepEqual(['data/v', 'v', 'from-volume', 'w/x'].map(text), ['v\n', 'v\n', 'v\n', 'x\n']);
      assert.equal(readlinkSync(join(here, 'link')), '/etc/new');
    });

    test(`${name}: cp into containers`, { skip }, async () => {
      const here = sandbox.files(`in-${name}`, { 'tree/sub/file': 'file\n', 'tree/top': 'top\n' });
      await ok('cp', join(here, 'tree'), `box:/in-${name}`);
      await ok('cp', join(here, 'tree'), `box:/in-${name}`);
      await ok('cp', `${join(here, 'tree')}/.`, `box:/tmp`);
      await ok('cp', join(here, 'tree/top'), `box:/data/${name}`);
      await ok('cp', join(here, 'tree/top'), `ended:/data/ended-${name}`);
      await ok('cp', join(here, 'tree/top'), `ended:/w`);
      const paths = [`/in-${name}/sub/file`, `/in-${name}/tree/top`, '/tmp/sub/file', `/data/ended-${name}`];
      assert.equal(await ok('exec', 'box', 'cat', ...paths), 'file\ntop\nfile\ntop\n');
      assert.match((await call(['cp', 'ended:/w', '-'])).stdout, /w\/top/);
    });

    test(`${name}: a tar through standard input and output`, { skip }, async () => {
      const { stdout: tar } = await call(['cp', 'box:/a', '-']);
      assert.equal((await call(['cp', '-', `box:/opt-${name}`], tar)).code, 1);
      await ok('exec', 'box', 'mkdir', `/opt-${name}`);
      assert.equal((await call(['cp', '-', `box:/opt-${name}`], tar)).code, 0);
      assert.equal(await ok('exec', 'box', 'ls', `/opt-${name}/a`), 'b\n');
    });

    test(`${name}: what cannot be copied`, { skip }, async () => {
      const here = sandbox.files(`bad-${name}`, { file: 'x' });
      const told = async (...args: string[]) => {
        const { code, stderr } = await call(['cp', ...args]);
        assert.equal(code, 1);
        return stderr;
      };
      assert.match(await told('box:/nothing', here), /Could not find the file \/nothing in container box/);
      assert.match(await told('nobody:/etc', here), /No such container: nobody/);
      assert.match(await told('box:/etc', 'box:/tmp'), /copying between containers is not supported/);
      assert.match(await told(here, '/tmp'), /must specify at least one container source/);
      assert.match(await told('box:/etc', join(here, 'file')), /cannot copy directory/);
      assert.match(await told(join(here, 'file'), 'box:/no/where'), /Could not find the file \/no in container box/);
      assert.match(await told(join(here, 'file'), 'box:/proc/1/status'), /[Rr]ead-only|permission|denied|EACCES|EPERM/);
    });

    test(`${name}: diff, export, commit`, { skip }, async () => {
      const changes = (await ok('diff', 'ended')).split('\n');
      assert.ok(changes.includes('A /w') && changes.includes('A /w/x'), changes.join('\n'));
      const diff = await ok('diff', 'box');
      assert.match(diff, /^C \/etc\nD \/etc\/group\nA \/etc\/new$/m);
      assert.doesNotMatch(diff, /\/(proc|dev|data|etc\/hosts)\b/);
      const file = join(sandbox.directory, `${name}.tar`);
      await ok('export', '-o', file, 'box');
      const { stdout: members } = await sandbox.other('tar', ['tf', file]);
      assert.match(members, /^etc\/new$/m);
      assert.doesNotMatch(members, /^(etc\/group|data\/v)$/m);
      const id = await ok('commit', '-m', 'note', '-a', 'me', '-c', 'CMD ["cat","/etc/new"]', 'box', `mine:${name}`);
      assert.match(id, /^sha256:[0-9a-f]{64}\n$/);
      assert.equal(await ok('run', '--rm', `mine:${name}`), 'new\n');
      const shown = await ok(
        'image',
        'inspect',
        '-f',
        '{{.Author}} {{.Comment}} {{len .RootFS.Layers}}',
        `mine:${name}`,
      );
      assert.equal(shown, 'me note 2\n');
      assert.match(await ok('history', '--format', '{{.CreatedBy}}|{{.Comment}}', `mine:${name}`), /^sh -c .*\|note\n/);
    });
  }

  test('CVE-2018-15664: a process that swaps directories and symlinks leads no copy out of its container', async () => {
    const outside = sandbox.files('outside', { secret: 'host\n' });
    const swap = `mkdir -p /p${outside} /q; ln -s / /l; echo mine > /p${outside}/secret; echo ready; while :; do mv /p /q/p; mv /l /p; mv /p /l; mv /q/p /p; done`;
    await sandbox.ok('run', '-d', '--name', 'racer', 'busybox', 'sh', '-c', swap);
    await eventually(async () => (await sandbox.ok('logs', 'racer')) === 'ready\n', 'the race has begun');
    const here = sandbox.files('raced', { planted: 'planted\n' });
    for (let round = 0; round < 8; round++) {
      const { code } = await sandbox.run(['cp', `racer:/p${outside}/secret`, join(here, 'got')]);
      if (code === 0) assert.equal(readFileSync(join(here, 'got'), 'utf8'), 'mine\n');
      await sandbox.run(['cp', join(here, 'planted'), `racer:/p${outside}/planted`]);
    }
    assert.deepEqual(readdirSync(outside), ['secret']);
    await sandbox.ok('rm', '-f', 'racer');
  });

  test('a hostile link in a container that does not run stays inside it', async () => {
    const outside = sandbox.files('elsewhere', { secret: 'host\n' });
    await sandbox.ok('create', '--name', 'linked', 'busybox');
    const links = sandbox.files('links', {});
    mkdirSync(links);
    symlinkSync(outside, join(links, 'out'));
    await sandbox.ok('cp', join(links, 'out'), 'linked:/out');
    assert.equal((await sandbox.run(['cp', 'linked:/out/secret', links])).code, 1);
    assert.equal((await sandbox.run(['cp', 'linked:/../../out/../out/secret', links])).code, 1);
    assert.notEqual((await sandbox.run(['cp', join(outside, 'secret'), 'linked:/out/planted'])).code, 0);
    assert.deepEqual(readdirSync(outside), ['secret']);
    rmSync(links, { recursive: true });
  });

  test('nothing is left of the work', async () => {
    const left = readdirSync(join(sandbox.root, 'run')).filter((each) => each.startsWith('files-'));
    assert.deepEqual(left, []);
  });
});
