import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { ensureDaemon } from './ensure-daemon.ts';
import { findLocations } from './locations.ts';

const directory = mkdtempSync(join(tmpdir(), 'slipway-ensure-'));
after(() => rmSync(directory, { recursive: true, force: true }));

/** A root of its own, and a program that stands for the daemon. */
function prepare(name: string, program: string) {
  const root = join(directory, name);
  mkdirSync(root);
  const script = join(root, 'fake.mjs');
  writeFileSync(script, program);
  return {
    locations: findLocations({ root }, {}),
    root,
    options: { launcher: [process.execPath, script], environment: {} },
  };
}

/** Takes the store's lock, listens, and ends when the test has seen enough. */
const listening = `
import { createServer } from 'node:net';
import { appendFileSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
const [command, , root, , host] = process.argv.slice(2);
appendFileSync(join(root, 'started'), command + '\\n');
try { openSync(join(root, 'lock'), 'wx'); } catch { console.error('slipway: cannot open: it is open in process 1'); process.exit(1); }
const path = host.replace('unix://', '');
mkdirSync(dirname(path), { recursive: true });
setTimeout(() => createServer((socket) => socket.on('error', () => {}).end()).listen(path), 50);
setTimeout(() => process.exit(0), 3000);
`;

suite('starting the daemon', () => {
  test('two at once: both go on once one daemon listens; a third starts nothing', async () => {
    const { locations, root, options } = prepare('two', listening);
    await Promise.all([ensureDaemon(locations, options), ensureDaemon(locations, options)]);
    const started = readFileSync(join(root, 'started'), 'utf8');
    await ensureDaemon(locations, options);
    assert.equal(readFileSync(join(root, 'started'), 'utf8'), started);
    assert.match(started, /^(daemon\n){1,2}$/);
  });

  test('a daemon that cannot start: its last words, and where its log is', async () => {
    const failing =
      "console.error('2026-01-01T00:00:00Z error cannot run containers: neither crun nor runc is there'); process.exit(1);";
    const { locations, root, options } = prepare('failing', failing);
    writeFileSync(join(root, 'daemon.log'), 'words of an earlier one\n');
    await assert.rejects(ensureDaemon(locations, options), {
      code: 'unavailable',
      message: 'cannot start the daemon: cannot run containers: neither crun nor runc is there',
      hint: `its log is ${root}/daemon.log`,
    });
  });

  test('a daemon that says nothing', async () => {
    const { locations, options } = prepare('silent', 'process.exit(1);');
    await assert.rejects(ensureDaemon(locations, options), /cannot start the daemon: it ended without a word/);
    const slow = prepare('slow', 'setTimeout(() => {}, 500);');
    await assert.rejects(
      ensureDaemon(slow.locations, { ...slow.options, limit: 50 }),
      /it did not listen on unix:.* within 0.05 s/,
    );
  });

  test("somebody else's daemon, and one that must not be started, are not started", async () => {
    const { root, locations, options } = prepare('other', listening);
    const elsewhere = findLocations({ root, host: `unix://${root}/other.sock` }, {});
    await assert.rejects(ensureDaemon(elsewhere, options), /nothing listens there/);
    await assert.rejects(
      ensureDaemon(locations, { ...options, environment: { SLIPWAY_AUTOSTART: '0' } }),
      /nothing listens there/,
    );
  });
});

suite('locations', () => {
  const isRoot = process.getuid?.() === 0;

  test('flags count before SLIPWAY_*, these before DOCKER_HOST', () => {
    const environment = { SLIPWAY_ROOT: '/r', DOCKER_HOST: 'unix:///docker.sock' };
    assert.deepEqual(findLocations({}, environment), {
      root: '/r',
      rootIsGiven: true,
      host: 'unix:///r/run/slipway.sock',
      isOwn: true,
    });
    assert.deepEqual(findLocations({ root: '/f' }, environment), {
      root: '/f',
      rootIsGiven: true,
      host: 'unix:///f/run/slipway.sock',
      isOwn: true,
    });
    assert.equal(findLocations({}, { DOCKER_HOST: 'tcp://h:1' }).host, 'tcp://h:1');
    assert.equal(findLocations({}, { ...environment, SLIPWAY_HOST: 'tcp://s:1' }).isOwn, false);
    assert.equal(findLocations({ host: 'tcp://f:1' }, environment).host, 'tcp://f:1');
  });

  test('the places of the system for root, of the user for others', () => {
    const { root, host } = findLocations({}, { XDG_DATA_HOME: '/d', XDG_RUNTIME_DIR: '/t' });
    assert.equal(root, isRoot ? '/var/lib/slipway' : '/d/slipway');
    assert.equal(host, isRoot ? 'unix:///run/slipway/slipway.sock' : 'unix:///t/slipway/slipway.sock');
  });
});
