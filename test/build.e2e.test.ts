import assert from 'node:assert/strict';
import { appendFileSync, cpSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { stepEnds } from './support/progress.ts';
import { cannotRun, eventually, projectRoot, Sandbox } from './support/slipway.ts';

suite('the first example: web-ping', { skip: cannotRun }, () => {
  const sandbox = cannotRun ? undefined : new Sandbox();
  let context: string;
  let server: Server;

  before(async () => {
    assert.ok(sandbox);
    await sandbox.baseImage('node:20-alpine');
    context = join(sandbox.directory, 'ping');
    cpSync(join(projectRoot, 'examples/01_ping_app'), context, { recursive: true });
    server = createServer((_request, response) => response.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    server.close();
    await sandbox?.[Symbol.asyncDispose]();
  });
  const use = (): Sandbox => {
    assert.ok(sandbox);
    return sandbox;
  };
  const build = async (...flags: string[]) => {
    const { code, stderr, stdout } = await use().run(['build', '--progress=plain', '-t', 'web-ping', ...flags, '.'], {
      cwd: context,
    });
    assert.equal(code, 0, stderr + stdout);
    return stepEnds(stderr);
  };

  test('builds, is listed, and pings', async () => {
    await build();
    const list = await use().ok('image', 'ls', 'w*');
    assert.match(list, /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\nweb-ping +latest +[0-9a-f]{12} /);
    assert.doesNotMatch(list, /node/);
    const { port } = server.address() as AddressInfo;
    const run = use().start([
      'container',
      'run',
      '--rm',
      '-e',
      `TARGET=http://127.0.0.1:${port}`,
      '-e',
      'INTERVAL=50',
      'web-ping',
    ]);
    let said = '';
    run.stdout?.on('data', (chunk) => {
      said += chunk;
    });
    await eventually(() => /number: 2;[\s\S]*status: 200/.test(said), 'a second ping was answered');
    const ended = new Promise((resolve) => run.once('exit', resolve));
    run.kill('SIGINT');
    await ended;
    await eventually(async () => (await use().ok('ps', '-aq')) === '', '--rm removed the container');
  });

  test('history shows each instruction', async () => {
    const history = await use().ok('history', '--no-trunc', '--format', '{{.CreatedBy}}', 'web-ping');
    assert.deepEqual(history.split('\n').slice(0, 6), [
      'CMD ["node" "/web-ping/app.js"]',
      'COPY app.js . # buildkit',
      'WORKDIR /web-ping',
      'ENV INTERVAL=3000',
      'ENV METHOD=HEAD',
      'ENV TARGET=ltfe.org',
    ]);
  });

  test('nothing runs again when nothing changed, nor after a touch, nor after a restart of the daemon', async () => {
    const cached = { '[1/3] FROM': 'CACHED', '[2/3] WORKDIR': 'CACHED', '[3/3] COPY': 'CACHED' };
    const id = await use().ok('images', '-q', '--no-trunc', 'web-ping');
    assert.deepEqual(await build(), cached);
    utimesSync(join(context, 'app.js'), 1, 1);
    assert.deepEqual(await build(), cached);
    await use().ok('daemon', 'stop');
    assert.deepEqual(await build(), cached);
    assert.equal(await use().ok('images', '-q', '--no-trunc', 'web-ping'), id);
  });

  test('one byte changed runs what comes after its COPY, and only that', async () => {
    appendFileSync(join(context, 'app.js'), '\n');
    assert.deepEqual(await build('-t', 'web-ping:v2'), {
      '[1/3] FROM': 'CACHED',
      '[2/3] WORKDIR': 'CACHED',
      '[3/3] COPY': 'DONE',
    });
  });

  test('--no-cache runs everything', async () => {
    const steps = await build('--no-cache');
    assert.deepEqual([steps['[2/3] WORKDIR'], steps['[3/3] COPY']], ['DONE', 'DONE']);
  });

  test('content that changed with its size and mtime kept is noticed', async () => {
    const file = join(context, 'app.js');
    const text = readFileSync(file, 'utf8');
    await build();
    writeFileSync(file, text.replace('Pinging', 'pinging'));
    utimesSync(file, 1, 1);
    await build();
    writeFileSync(file, text.replace('Pinging', 'PINGING'));
    utimesSync(file, 1, 1);
    assert.equal((await build())['[3/3] COPY'], 'DONE');
  });
});
