import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { isErrorCode } from '../base/errors.ts';
import { OciRuntime } from './oci-runtime.ts';
import { cannotRun, processesWith, RuntimeFixture, until } from './runtime.suite.ts';

/** A daemon of its own that starts one container, tells so, and waits. */
const daemon = (runDirectory: string, image: string, mark: string) => `
  const { OciRuntime } = await import(${JSON.stringify(new URL('oci-runtime.ts', import.meta.url).href)});
  const runtime = await OciRuntime.open({ runDirectory: ${JSON.stringify(runDirectory)} });
  await runtime.start({
    id: 'orphan', rootfs: [{ type: 'bind', source: ${JSON.stringify(image)}, options: ['rbind'] }],
    args: ['sleep', '${mark}'], env: ['PATH=/bin'], cwd: '/', user: { uid: 0, gid: 0 }, mounts: [], network: 'none',
  }, { stdout() {}, stderr() {} });
  process.stdout.write('started');
`;

function helpersOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, 'utf8');
        const isChild = new RegExp(`^PPid:\\t${pid}$`, 'm').test(status) && !/^State:\tZ/m.test(status);
        return isChild && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('spawner');
      } catch {
        return false;
      }
    })
    .map(Number);
}

suite('losing the daemon or its helper', { skip: cannotRun() }, () => {
  let fixture: RuntimeFixture;
  before(() => {
    fixture = new RuntimeFixture();
  });
  after(() => fixture.close());

  test('a daemon that is killed leaves no process, and the next one removes its mounts', async () => {
    const runDirectory = join(fixture.directory, 'run');
    const child = spawn(process.execPath, ['--input-type=module', '-e', daemon(runDirectory, fixture.image, '76543')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let seen = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      seen += text;
    });
    await until(() => seen === 'started' || child.exitCode !== null, 'the container to run');
    assert.equal(processesWith('sleep 76543').length, 1);
    child.kill('SIGKILL');
    await until(() => processesWith('sleep 76543').length === 0, 'the container to end');
    await until(() => processesWith(runDirectory).length === 0, 'the runtime to end');
    assert.ok(existsSync(join(runDirectory, 'bundles/orphan')));
    fixture.runtime = await OciRuntime.open({ runDirectory });
    fixture.assertClean();
    assert.equal((await fixture.run(['true'], { id: 'orphan' })).code, 0);
    fixture.assertClean();
  });

  test('a lost helper fails what ran, leaves nothing of it, and is started again', async () => {
    const running = await fixture.start(fixture.spec(['sleep', '65432']));
    for (const pid of helpersOf(process.pid)) process.kill(pid, 'SIGKILL');
    await assert.rejects(running.exited, (error) => isErrorCode(error, 'unavailable'));
    assert.deepEqual(processesWith('sleep 65432'), []);
    assert.equal((await fixture.run(['true'])).code, 0);
    fixture.assertClean();
  });
});
