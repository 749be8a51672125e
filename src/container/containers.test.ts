import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { ContainerFixture, fixtureImage } from './container-fixture.ts';
import type { Containers } from './containers.ts';

const notRoot = process.getuid?.() === 0 ? false : 'overlay mounts need root';

const logOf = async (containers: Containers, id: string) =>
  (await Array.fromAsync(containers.logs(id, { follow: false }))).flat().map(({ text }) => text);

const ended = (containers: Containers, id: string) => containers.wait(id, 'not-running');

/** Everything that an attached client sees, until the process ends. */
function outputOf(containers: Containers, id: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = '';
  const take = (stream: 1 | 2, bytes: Uint8Array) => {
    text += `${stream}:${Buffer.from(bytes)}`;
  };
  containers.attach(id, { take, end: () => resolve(text) });
  return promise;
}

suite('containers', () => {
  test('from created to exited: states, code, output, log', async () => {
    using fixture = new ContainerFixture();
    const { containers } = fixture;
    const id = await fixture.create(['both'], { name: 'it' });
    assert.equal(containers.find('it').state.status, 'created');
    const output = outputOf(containers, id);
    const exit = containers.wait(id, 'next-exit');
    assert.equal(await containers.start('it'), true);
    assert.equal((await exit).exitCode, 3);
    assert.equal(await output, '1:out\n2:err\n');
    assert.deepEqual(await logOf(containers, 'it'), ['out\n', 'err\n']);
    const { state } = containers.find(id.slice(0, 6));
    assert.deepEqual([state.status, state.exitCode, state.pid], ['exited', 3, 0]);
    assert.ok(state.finishedAt >= state.startedAt);
    assert.equal((await containers.wait(id, 'not-running')).exitCode, 3);
  });

  test('what the process is told: config over image, identity, terminal', async () => {
    using fixture = new ContainerFixture();
    const config = { Env: ['OWN=1'], Hostname: 'ship', Tty: true, WorkingDir: '/w' };
    const id = await fixture.create(['true'], { config });
    fixture.containers.resize(id, 10, 20);
    await fixture.containers.start(id);
    await ended(fixture.containers, id);
    const [spec] = fixture.runtime.started;
    assert.deepEqual(
      [spec?.args, spec?.cwd, spec?.hostname, spec?.terminal, spec?.network],
      [['true'], '/w', 'ship', { rows: 10, columns: 20 }, 'host'],
    );
    assert.deepEqual(spec?.env, ['HOSTNAME=ship', 'TERM=xterm', 'PATH=/bin', 'FROM=image', 'OWN=1']);
  });

  test('a start that fails leaves the container created, with docker’s code', async () => {
    using fixture = new ContainerFixture();
    const id = await fixture.create(['nope']);
    await assert.rejects(fixture.containers.start(id), /exec: "nope": executable file not found in \$PATH/);
    const { state } = fixture.containers.find(id);
    assert.deepEqual([state.status, state.exitCode], ['created', 127]);
  });

  test('two starts at once start one process', async () => {
    using fixture = new ContainerFixture();
    const id = await fixture.create(['sleep']);
    const started = await Promise.all([fixture.containers.start(id), fixture.containers.start(id)]);
    assert.deepEqual(started.toSorted(), [false, true]);
    assert.equal(fixture.runtime.started.length, 1);
    await fixture.containers.remove(id, { force: true });
  });

  test('stop asks first and then kills; a stubborn one gets both', async () => {
    using fixture = new ContainerFixture();
    const { containers, runtime } = fixture;
    const polite = await fixture.create(['sleep'], { config: { StopSignal: 'SIGINT' } });
    await containers.start(polite);
    assert.equal(await containers.stop(polite, { seconds: 100 }), true);
    assert.deepEqual(runtime.signals, ['SIGINT']);
    assert.equal(await containers.stop(polite), false);
    const stubborn = await fixture.create(['stubborn']);
    await containers.start(stubborn);
    await containers.stop(stubborn, { seconds: 0 });
    assert.deepEqual(runtime.signals.slice(1), ['SIGTERM', 'SIGKILL']);
    assert.equal(containers.find(stubborn).state.exitCode, 137);
  });

  test('kill takes names and numbers, and wants a running container', async () => {
    using fixture = new ContainerFixture();
    const { containers, runtime } = fixture;
    const id = await fixture.create(['stubborn']);
    await assert.rejects(containers.kill(id, 'KILL'), /is not running/);
    await containers.start(id);
    await assert.rejects(containers.kill(id, 'NOSUCH'), /Invalid signal: NOSUCH/);
    for (const signal of ['hup', '15', 'SIGUSR1']) await containers.kill(id, signal);
    assert.deepEqual(runtime.signals, ['SIGHUP', 'SIGTERM', 'SIGUSR1']);
    await containers.remove(id, { force: true });
  });

  test('--rm removes the container, its layer, its log and its anonymous volumes', async () => {
    using fixture = new ContainerFixture();
    const { containers } = fixture;
    const anonymous = { Type: 'volume', Target: '/data', VolumeOptions: { NoCopy: true } };
    const hostConfig = { AutoRemove: true, Binds: ['kept:/kept:nocopy'], Mounts: [anonymous] };
    const id = await fixture.create(['echo', 'x'], { hostConfig });
    assert.equal(containers.volumes.list().length, 2);
    const removed = containers.wait(id, 'removed');
    await containers.start(id);
    assert.equal((await removed).exitCode, 0);
    assert.deepEqual(containers.list(), []);
    assert.deepEqual(readdirSync(join(fixture.root, 'containers')), []);
    assert.deepEqual(
      containers.volumes.list().map(({ name }) => name),
      ['kept'],
    );
    assert.deepEqual(containers.stacks(), []);
  });

  test('a running container is removed by force only; whoever waits is told', async () => {
    using fixture = new ContainerFixture();
    const { containers } = fixture;
    const id = await fixture.create(['sleep'], { name: 'busy' });
    await containers.start(id);
    await assert.rejects(containers.remove('busy'), /stop the container before removing or force remove/);
    const removed = containers.wait(id, 'removed');
    await containers.remove('busy', { force: true });
    assert.equal((await removed).exitCode, 137);
    assert.throws(() => containers.find('busy'), /No such container: busy/);
  });

  test('a wait ends with its client', async () => {
    using fixture = new ContainerFixture();
    const id = await fixture.create(['true']);
    const aborter = new AbortController();
    const waiting = fixture.containers.wait(id, 'next-exit', aborter.signal);
    aborter.abort(new Error('gone'));
    await assert.rejects(waiting, /gone/);
  });

  test('names are checked and taken once', async () => {
    using fixture = new ContainerFixture();
    await fixture.create(['true'], { name: 'one' });
    const two = await fixture.create(['true'], { name: 'two' });
    await assert.rejects(fixture.create(['true'], { name: 'one' }), /The container name "\/one" is already in use/);
    for (const name of ['../up', '', 'a/b', '-x']) await assert.rejects(fixture.create(['true'], { name }));
    assert.throws(() => fixture.containers.rename(two, 'one'), /already in use/);
    fixture.containers.rename(two, '/three');
    assert.equal(fixture.containers.find('three').id, two);
    assert.throws(() => fixture.containers.find('two'));
  });

  test('input arrives whole and in order, and no faster than it is taken', async () => {
    using fixture = new ContainerFixture();
    const { containers } = fixture;
    const id = await fixture.create(['cat'], { config: { OpenStdin: true } });
    const output = outputOf(containers, id);
    const stdin = containers.stdin(id);
    let taken = false;
    const first = stdin.write(Buffer.from('a')).then(() => {
      taken = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(taken, false);
    await containers.start(id);
    await first;
    for (let i = 0; i < 100; i++) await stdin.write(Buffer.from('b'));
    stdin.end();
    assert.equal((await output).replaceAll('1:', ''), `a${'b'.repeat(100)}`);
  });

  test('a slow client holds the process back and loses nothing; one that fails harms nobody', async () => {
    using fixture = new ContainerFixture();
    const { containers } = fixture;
    const id = await fixture.create(['both']);
    const seen: string[] = [];
    containers.attach(id, {
      take: () => {
        throw new Error('gone');
      },
      end: () => {},
    });
    containers.attach(id, {
      take: async (_stream, bytes) => {
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(`${Buffer.from(bytes)}`);
      },
      end: () => seen.push('end'),
    });
    await containers.start(id);
    await ended(containers, id);
    assert.deepEqual(seen, ['out\n', 'err\n', 'end']);
  });

  test('a restart keeps a container that would remove itself', async () => {
    using fixture = new ContainerFixture();
    const { containers } = fixture;
    const id = await fixture.create(['sleep'], { hostConfig: { AutoRemove: true } });
    await containers.start(id);
    await containers.restart(id, { seconds: 5 });
    assert.equal(containers.find(id).state.status, 'running');
    const removed = containers.wait(id, 'removed');
    await containers.kill(id, 'SIGKILL');
    await removed;
  });

  test('a daemon that starts anew knows its containers; those that ran have ended', async () => {
    using fixture = new ContainerFixture();
    const kept = await fixture.create(['sleep'], { name: 'kept' });
    const gone = await fixture.create(['sleep'], { hostConfig: { AutoRemove: true } });
    for (const id of [kept, gone]) await fixture.containers.start(id);
    const again = fixture.open();
    const { state } = again.find('kept');
    assert.deepEqual([state.status, state.exitCode, state.error], ['exited', 137, 'the daemon ended']);
    assert.deepEqual(
      again.list().map(({ id }) => id),
      [kept],
    );
    for (const id of [kept, gone]) await fixture.containers.kill(id, 'SIGKILL').catch(() => {});
  });

  test('a container without a log says so', async () => {
    using fixture = new ContainerFixture();
    const id = await fixture.create(['echo', 'x'], { hostConfig: { LogConfig: { Type: 'none', Config: {} } } });
    await fixture.containers.start(id);
    await ended(fixture.containers, id);
    assert.throws(() => fixture.containers.logs(id, { follow: false }), /does not support reading/);
    assert.equal(existsSync(fixture.containers.logPath(id)), false);
    await assert.rejects(fixture.create(['true'], { hostConfig: { LogConfig: { Type: 'syslog' } } }), /'syslog'/);
  });

  test('events tell what happened', async () => {
    using fixture = new ContainerFixture();
    const { containers } = fixture;
    const id = await fixture.create(['exit', '4'], { config: { Labels: { own: '1' } } });
    await containers.start(id);
    await ended(containers, id);
    await containers.remove(id);
    const past = containers.events.past();
    assert.deepEqual(
      past.map(({ action }) => action),
      ['create', 'start', 'die', 'destroy'],
    );
    assert.equal(past[2]?.attributes.exitCode, '4');
    assert.deepEqual([past[0]?.attributes.own, past[0]?.attributes.base], ['1', 'yes']);
  });
});

suite('volumes', () => {
  const mounts = (fixture: ContainerFixture, id: string) => fixture.containers.find(id).mounts;

  test('a named volume is made once and outlives its containers', async () => {
    using fixture = new ContainerFixture();
    const { containers } = fixture;
    const first = await fixture.create(['true'], { hostConfig: { Binds: ['data:/d:nocopy'] } });
    const [mount] = mounts(fixture, first);
    assert.equal(mount?.source, join(fixture.root, 'volumes/data/_data'));
    writeFileSync(join(mount?.source ?? '', 'file'), 'x');
    const second = await fixture.create(['true'], { hostConfig: { Binds: ['data:/elsewhere:ro'] } });
    await containers.start(second);
    await ended(containers, second);
    assert.deepEqual(fixture.runtime.started[0]?.mounts, [
      { type: 'bind', source: mount?.source, target: '/elsewhere', options: ['rbind', 'rprivate', 'ro'] },
    ]);
    await assert.rejects(containers.volumes.remove('data', containers.usersOf('data')), /volume is in use/);
    for (const id of [first, second]) await containers.remove(id, { volumes: true });
    assert.ok(existsSync(join(fixture.root, 'volumes/data/_data/file')));
    await containers.volumes.remove('data', containers.usersOf('data'));
    assert.deepEqual(readdirSync(join(fixture.root, 'volumes')), []);
    assert.throws(() => containers.volumes.get('data'), /get data: no such volume/);
  });

  test('a new volume starts with the image’s files, and only a new one', { skip: notRoot }, async () => {
    using fixture = new ContainerFixture();
    const layer = fixture.snapshots.prepare([]);
    const data = join(fixture.snapshots.activeDirectory(layer), 'data');
    mkdirSync(join(data, 'sub'), { recursive: true });
    writeFileSync(join(data, 'sub/file'), 'from the image');
    chmodSync(data, 0o1770);
    chownSync(data, 33, 44);
    fixture.stack = [fixture.snapshots.commit(layer)];
    fixture.config = { ...fixtureImage, config: { Cmd: ['true'], Volumes: { '/data': {} } } };
    const first = await fixture.create(['true'], { hostConfig: { Binds: ['named:/data', 'empty:/nothing'] } });
    const source = mounts(fixture, first)[0]?.source ?? '';
    const { uid, gid, mode } = statSync(source);
    assert.deepEqual([uid, gid, mode & 0o7777], [33, 44, 0o1770]);
    writeFileSync(join(source, 'sub/file'), 'changed');
    await fixture.create(['true'], { hostConfig: { Binds: ['named:/data'] } });
    assert.equal(readFileSync(join(source, 'sub/file'), 'utf8'), 'changed');
    const anonymous = mounts(fixture, await fixture.create(['true']))[0];
    assert.match(anonymous?.name ?? '', /^[0-9a-f]{64}$/);
    assert.equal(readFileSync(join(anonymous?.source ?? '', 'sub/file'), 'utf8'), 'from the image');
    assert.deepEqual(readdirSync(join(fixture.root, 'run')), []);
  });

  test('CVE-2021-30465 and its like: an image’s symlink at a volume’s place does not lead to the host', {
    skip: notRoot,
  }, async () => {
    using fixture = new ContainerFixture();
    const host = join(fixture.root, 'host');
    mkdirSync(host);
    writeFileSync(join(host, 'secret'), 'of the host');
    const layer = fixture.snapshots.prepare([]);
    symlinkSync(host, join(fixture.snapshots.activeDirectory(layer), 'data'));
    fixture.stack = [fixture.snapshots.commit(layer)];
    const id = await fixture.create(['true'], { hostConfig: { Binds: ['named:/data'] } });
    assert.deepEqual(readdirSync(mounts(fixture, id)[0]?.source ?? ''), []);
  });

  test('a create that fails leaves no volume behind', async () => {
    using fixture = new ContainerFixture();
    const Mounts = [
      { Type: 'volume', Target: '/a', VolumeOptions: { NoCopy: true } },
      { Type: 'bind', Source: '/no/such/directory', Target: '/b' },
    ];
    await assert.rejects(fixture.create(['true'], { hostConfig: { Mounts } }), /bind source path does not exist/);
    assert.deepEqual(fixture.containers.volumes.list().length, 0);
  });

  test('-v makes the host’s directory, and outer mounts come first', async () => {
    using fixture = new ContainerFixture();
    const host = join(fixture.root, 'made/here');
    const id = await fixture.create(['true'], { hostConfig: { Binds: [`${host}:/a/b/c`, `${host}:/a`] } });
    assert.ok(existsSync(host));
    await fixture.containers.start(id);
    await ended(fixture.containers, id);
    assert.deepEqual(
      fixture.runtime.started[0]?.mounts.map(({ target }) => target),
      ['/a', '/a/b/c'],
    );
  });

  test('--volumes-from shows another container’s directories', async () => {
    using fixture = new ContainerFixture();
    const Binds = ['data:/d:nocopy', `${fixture.root}:/h`];
    await fixture.create(['true'], { name: 'source', hostConfig: { Binds, Tmpfs: { '/t': '' } } });
    const id = await fixture.create(['true'], {
      hostConfig: { VolumesFrom: ['source:ro'], Binds: ['other:/own:nocopy'] },
    });
    assert.deepEqual(
      mounts(fixture, id).map(({ target, readOnly }) => [target, readOnly]),
      [
        ['/d', true],
        ['/h', true],
        ['/own', false],
      ],
    );
  });

  test('a name cannot lead out of the volumes’ directory', async () => {
    using fixture = new ContainerFixture();
    mkdirSync(join(fixture.root, 'outside'));
    for (const name of ['../outside', '..', 'a/b', '.hidden', ''.padEnd(300, 'a')])
      assert.throws(() => fixture.containers.volumes.ensure({ name }), /invalid characters/);
  });
});
