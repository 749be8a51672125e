import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { cannotRun, finish, projectRoot, type Result, Sandbox } from './support/slipway.ts';

suite('contexts that are not what they should be', { skip: cannotRun }, () => {
  const sandbox = cannotRun ? undefined : new Sandbox();
  const use = (): Sandbox => {
    assert.ok(sandbox);
    return sandbox;
  };
  before(() => use().baseImage('busybox:latest'));
  after(() => sandbox?.[Symbol.asyncDispose]());

  const build = (context: string, dockerfile: string, ...flags: string[]): Promise<Result> =>
    use().run(['build', '--progress=plain', '-t', 'made', '-f', '-', ...flags, context], { input: dockerfile });
  async function built(...args: Parameters<typeof build>): Promise<void> {
    const { code, stderr } = await build(...args);
    assert.equal(code, 0, stderr);
  }
  /** It failed with one error of these words, and the next build works. */
  async function failed(result: Result, ...words: RegExp[]): Promise<void> {
    assert.notEqual(result.code, 0, result.stderr);
    for (const each of words) assert.match(result.stderr, each);
    assert.equal([...result.stderr.matchAll(/^(ERROR|slipway): /gm)].length, 1, result.stderr);
    await use().ok('build', '-q', use().files('good', { Dockerfile: 'FROM busybox\nRUN true\n' }));
  }
  const shell = (script: string) => use().ok('run', '--rm', 'made', 'sh', '-c', script);

  test('fifos and devices are copied as such and never opened; sockets are left out, or refused by name', async () => {
    const context = use().files('special', { file: 'x' });
    execFileSync('sh', ['-c', 'mkfifo fifo; mknod char c 1 9; mknod block b 7 250'], { cwd: context });
    const server = createServer().listen(join(context, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    await built(context, 'FROM busybox\nCOPY . /all/\nCOPY fifo /single\n');
    const kinds = 'cd /all; stat -c "%n %F" *; stat -c "%F" /single';
    assert.equal(
      await shell(kinds),
      'block block special file\nchar character special file\nfifo fifo\nfile regular file\nfifo\n',
    );
    await failed(await build(context, 'FROM busybox\nCOPY socket /\n'), /"\/socket": it is a socket/);
    server.close();
  });

  test('names that are not UTF-8, or hold line feeds and escapes, arrive byte for byte', async () => {
    const context = use().files('names', {});
    mkdirSync(context);
    const names = [Buffer.from([0x63, 0x61, 0x66, 0xe9]), Buffer.from('new\nline'), Buffer.from('\x1b[31mred')];
    for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${context}/`), name]), 'x');
    await built(context, 'FROM busybox\nCOPY . /names/\n');
    // The archive is read by a foreign tool, too.
    const listed = execFileSync('sh', ['-c', 'cd "$1" && find . -type f -print0 | sort -z | od -An -c', '-', context]);
    const inside = await use().ok(
      'run',
      '--rm',
      'made',
      'sh',
      '-c',
      'cd /names; find . -type f -print0 | sort -z | od -An -c',
    );
    assert.equal(inside.replaceAll(/\s+/g, ' '), listed.toString().replaceAll(/\s+/g, ' '));
  });

  test('B2: symlinks that lead out of the context reach nothing of the host', async () => {
    const outside = use().files('outside', { secret: 'outside-canary' });
    const context = use().files('links', { 'dir/file': 'inside' });
    symlinkSync(join(outside, 'secret'), join(context, 'absolute'));
    symlinkSync('../outside/secret', join(context, 'relative'));
    symlinkSync(outside, join(context, 'directory'));
    symlinkSync('../../../../../../../../etc', join(context, 'dir/up'));
    await built(context, 'FROM busybox\nCOPY . /all/\n');
    assert.equal(await shell('readlink /all/relative; cat /all/absolute 2>/dev/null; true'), '../outside/secret\n');
    for (const name of ['absolute', 'relative', 'directory/secret', 'dir/up/shadow'])
      await failed(await build(context, `FROM busybox\nCOPY ${name} /\n`), new RegExp(`"/${name}"`));
    await failed(await build(context, 'FROM busybox\nCOPY ../outside/secret /\n'), /"\/outside\/secret"/);
  });

  test('a file that changes while it is read: each image is whole, whatever it caught', async () => {
    const context = use().files('changing', { file: 'a' });
    const writer = spawn(
      process.execPath,
      [
        '-e',
        "const fs = require('fs'); for (let i = 0; ; i++) fs.writeFileSync('file', Buffer.alloc(i % 7 ? (i * 7919) % 300000 : 0, i));",
      ],
      { cwd: context, stdio: 'ignore' },
    );
    const ended = finish(writer);
    try {
      for (let i = 0; i < 5; i++) {
        await built(context, 'FROM busybox\nCOPY file /\n');
        const archive = join(use().directory, 'changing.tar');
        await use().ok('save', '-o', archive, 'made');
        // What was stored is what its digests say: loading checks each of them.
        await use().ok('load', '-q', '-i', archive);
        await shell('cat /file > /dev/null');
      }
    } finally {
      writer.kill('SIGKILL');
      await ended;
    }
  });

  test('a file that cannot be read is named, with the way out; the store is none the worse', async () => {
    await using limited = new Sandbox();
    await limited.baseImage('busybox:latest');
    await limited.ok('daemon', 'stop');
    const context = limited.files('unreadable', { Dockerfile: 'FROM busybox\nCOPY . /\n', private: 'x' });
    chownSync(join(context, 'private'), 65534, 65534);
    chmodSync(join(context, 'private'), 0);
    // Root without its right to read everything, as in some containers.
    const drop = ['--inh-caps=-dac_override,-dac_read_search', '--bounding-set=-dac_override,-dac_read_search'];
    const args = [...drop, join(projectRoot, 'bin/slipway'), 'build', '--progress=plain', context];
    const result = await limited.other('setpriv', args);
    assert.equal(result.code, 1, result.stderr);
    assert.match(result.stderr, /cannot read ".*\/private": permission denied/);
    assert.match(result.stderr, /\.dockerignore/);
    await limited.ok('daemon', 'stop');
    await limited.ok('build', '-q', context);
  });

  test('without root: said so, with the way out', async () => {
    const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
    chmodSync(use().directory, 0o755);
    const { code, stderr } = await use().other('setpriv', [...asNobody, join(projectRoot, 'bin/slipway'), 'images'], {
      env: { SLIPWAY_ROOT: join(use().directory, 'nobody') },
    });
    assert.equal(code, 1);
    assert.match(stderr, /cannot start the daemon: mounts and containers need root\nrun it with sudo/);
    const other = await use().other('setpriv', [...asNobody, join(projectRoot, 'bin/slipway'), 'images']);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /root/);
  });

  test('a Dockerfile of 100 MB, of junk, of endless continuation', async () => {
    const context = use().files('large', { huge: 'FROM busybox\n', junk: '' });
    truncateSync(join(context, 'huge'), 100 << 20);
    await failed(await use().run(['build', '-f', join(context, 'huge'), context]), /"huge".*104857600 bytes.*limit/);
    writeFileSync(join(context, 'junk'), Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 31 + 7) % 256)));
    await failed(await use().run(['build', '-f', join(context, 'junk'), context]), /junk/);
    await built(context, `FROM busybox\nRUN true \\\n${'\\\n'.repeat(100_000)}`);
  });

  test('an ssh agent that is gone', async () => {
    const context = use().files('ssh', { Dockerfile: 'FROM busybox\nRUN --mount=type=ssh,required=true true\n' });
    const gone = await use().run(['build', '--progress=plain', '--ssh', 'default', context], {
      env: { SSH_AUTH_SOCK: join(use().directory, 'no-agent') },
    });
    await failed(gone, /no-agent/);
    // It takes calls and answers none.
    const path = join(use().directory, 'deaf-agent');
    const deaf = createServer((socket) => socket.on('error', () => {}).destroy()).listen(path);
    await new Promise((resolve) => deaf.once('listening', resolve));
    const { code, stderr } = await use().run(['build', '--progress=plain', '--ssh', 'default', context], {
      env: { SSH_AUTH_SOCK: path },
    });
    deaf.close();
    assert.equal(code, 0, stderr);
    await failed(await use().run(['build', '--progress=plain', '--no-cache', context]), /ssh[\s\S]*--ssh default/);
  });
});
