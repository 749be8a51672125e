import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { cannotRun, eventually, finish, type Result, Sandbox } from './support/slipway.ts';

suite('bad input', { skip: cannotRun }, () => {
  const sandbox = cannotRun ? undefined : new Sandbox();
  const use = (): Sandbox => {
    assert.ok(sandbox);
    return sandbox;
  };
  before(async () => {
    await use().baseImage('busybox:latest');
    await use().ok(
      'build',
      '-q',
      '-t',
      'kept',
      use().files('kept', { Dockerfile: 'FROM busybox\nRUN echo kept > /kept\n' }),
    );
  });
  after(() => sandbox?.[Symbol.asyncDispose]());

  let count = 0;
  const build = (dockerfile: string, files: Record<string, string> = {}, ...flags: string[]): Promise<Result> =>
    use().run([
      'build',
      '--progress=plain',
      ...flags,
      use().files(`context-${++count}`, { Dockerfile: dockerfile, ...files }),
    ]);

  /** It failed with these words, once, and everything that was there still works. */
  async function failed(result: Result, ...words: RegExp[]): Promise<void> {
    assert.notEqual(result.code, 0);
    for (const each of words) assert.match(result.stderr, each);
    assert.equal([...result.stderr.matchAll(/^(ERROR|slipway): /gm)].length, 1, result.stderr);
    assert.equal(await use().ok('run', '--rm', 'kept', 'cat', '/kept'), 'kept\n');
  }

  test('an unknown instruction, with the one that was meant, its line, and all other errors too', async () => {
    const result = await build('FROM busybox\nCOYP a b\nRUN true\nENV =x\n');
    await failed(
      result,
      /2 \| >>> COYP a b/,
      /unknown instruction: COYP/,
      /did you mean COPY/,
      /4 \| >>> ENV =x/,
      /names can not be blank/,
    );
  });

  test('a missing file in COPY is named', async () => {
    await failed(await build('FROM busybox\nCOPY no-such-file /\n'), /"\/no-such-file"/, /2 \| >>> COPY/);
  });

  test('a file that .dockerignore leaves out is said to be', async () => {
    await failed(
      await build('FROM busybox\nCOPY secret.txt /\n', { '.dockerignore': '*.txt\n', 'secret.txt': '' }),
      /secret\.txt/,
      /\.dockerignore/,
    );
  });

  test('a failing RUN: its code, its last lines, its place', async () => {
    const result = await build('FROM busybox\nRUN echo before\nRUN echo the last words && exit 42\nRUN echo after\n');
    await failed(
      result,
      /exit code: 42/,
      /------\n > \[3\/4\] RUN[\s\S]*the last words[\s\S]*------/,
      /3 \| >>> RUN echo the last words/,
    );
    assert.doesNotMatch(result.stderr, /\[4\/4\]/);
  });

  test('an unterminated heredoc, a missing stage, a stage made from itself, a bad flag value', async () => {
    await failed(await build('FROM busybox\nRUN <<EOF\necho x\n'), /unterminated heredoc/);
    await failed(await build('FROM busybox\n', {}, '--target', 'nowhere'), /target stage "nowhere" could not be found/);
    await failed(
      await build('FROM busybox AS a\nCOPY --from=b / /\nFROM busybox AS b\nCOPY --from=a / /\n'),
      /circular dependency/,
    );
    await failed(await build('FROM busybox\nCOPY --link=perhaps a b\n'), /boolean/);
    await failed(await build('FROM busybox\nRUN --mount=type=cach,target=/x true\n'), /did you mean cache/);
  });

  test('junk, an empty file, a file that is not there', async () => {
    await failed(await build('\u0000\u0001\u0002'), /NUL/);
    await failed(await build(''), /no instructions/);
    await failed(
      await use().run(['build', '--progress=plain', use().files('none', { x: '' })]),
      /Dockerfile: no such file/,
    );
    await failed(await use().run(['build', '/no/such/directory']), /not found/);
  });

  test('a missing secret that is required', async () => {
    await failed(
      await build('FROM busybox\nRUN --mount=type=secret,id=token,required=true true\n'),
      /secret token: not found .*--secret id=token/,
      /--secret id=token/,
    );
  });

  test('a registry that nobody answers for', async () => {
    await failed(await build('FROM 127.0.0.1:1/no/image\n'), /127\.0\.0\.1:1/, /1 \| >>> FROM/);
  });

  test('a registry that sends other bytes than it announced: nothing of it is stored', async () => {
    const { createHash } = await import('node:crypto');
    const { createServer: createHttp } = await import('node:http');
    const digest = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
    const config = JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [digest('layer')] },
    });
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digest(config), size: config.length },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digest('layer'), size: 5 }],
    });
    const server = createHttp((request, response) => {
      if (request.url?.includes('/manifests/'))
        response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }).end(manifest);
      else if (request.url?.endsWith(digest(config))) response.end(config);
      else response.end(request.url === '/v2/' ? '' : 'evil!');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    try {
      await failed(await use().run(['pull', `127.0.0.1:${port}/evil`]), /sha256:/);
      assert.ok(!existsSync(join(use().root, 'content/blobs/sha256', digest('layer').slice(7))));
      assert.deepEqual(readdirSync(join(use().root, 'content/ingest')), []);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  test('a blob that changed on the disk is not handed out as if it were whole', async () => {
    const blobs = join(use().root, 'content/blobs/sha256');
    const [, digest = ''] =
      /"sha256:([0-9a-f]+)"/.exec(
        await use().ok('image', 'inspect', '--format', '{{json .RootFS.Layers}}', 'busybox'),
      ) ?? [];
    const bytes = readFileSync(join(blobs, digest));
    const file = join(use().directory, 'saved.tar');
    writeFileSync(file, 'an older archive');
    writeFileSync(join(blobs, digest), bytes.with(100_000, 255 - (bytes[100_000] ?? 0)));
    await failed(await use().run(['save', '-o', file, 'busybox']), /broke off in the middle/);
    assert.equal(readFileSync(file, 'utf8'), 'an older archive');
    assert.match(use().log(), new RegExp(`cannot read blob "sha256:${digest}"`));
    writeFileSync(join(blobs, digest), bytes);
    await use().ok('save', '-o', file, 'busybox');
  });

  test('a second daemon on the same store', async () => {
    const result = await use().run(['daemon', '--addr', `unix://${use().directory}/other.sock`]);
    await failed(result, /it is open in process \d+/);
  });

  test('a stale socket is replaced, one of another program is not', async () => {
    await using other = new Sandbox();
    mkdirSync(join(other.root, 'run'), { recursive: true });
    const squatter = createServer().listen(join(other.directory, 'live.sock'));
    const taken = await other.run(['daemon', '--addr', `unix://${other.directory}/live.sock`]);
    squatter.close();
    assert.notEqual(taken.code, 0);
    assert.match(taken.stderr, /answers there already/);
    // A socket file that its process left behind when it was killed.
    const dead = other.start(['daemon', '--addr', `unix://${other.socket}`]);
    await eventually(() => existsSync(other.socket), 'the daemon listens');
    const pid = Number(readFileSync(join(other.root, 'lock'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    await finish(dead);
    assert.ok(existsSync(other.socket));
    await other.ok('images');
  });

  test('neither crun nor runc', async () => {
    await using bare = new Sandbox();
    const tools = bare.files('tools', {});
    mkdirSync(tools, { recursive: true });
    const { symlinkSync } = await import('node:fs');
    for (const tool of ['sh', 'readlink', 'uname', 'unshare', 'env', 'mount']) {
      const place = ['/usr/bin', '/bin'].map((directory) => join(directory, tool)).find(existsSync);
      if (place) symlinkSync(place, join(tools, tool));
    }
    const result = await bare.run(['images'], { env: { PATH: tools } });
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, /found no crun or runc/);
    assert.match(result.stderr, /apt-get install crun/);
  });

  test('a full disk', async () => {
    await using small = new Sandbox();
    mkdirSync(small.root, { recursive: true });
    const mounted = await small.other('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', small.root]);
    assert.equal(mounted.code, 0, mounted.stderr);
    try {
      await small.baseImage('busybox:latest');
      const context = small.files('full', { Dockerfile: 'FROM busybox\nCOPY big /big\n' });
      writeFileSync(join(context, 'big'), Buffer.alloc(40 * 1024 * 1024));
      const result = await small.run(['build', '--progress=plain', context]);
      assert.notEqual(result.code, 0);
      assert.match(result.stderr, /disk is full|ENOSPC|no space/i);
      assert.equal(await small.ok('run', '--rm', 'busybox', 'echo', 'still here'), 'still here\n');
    } finally {
      await small.run(['daemon', 'stop']);
      await small.other('umount', ['-l', small.root]);
    }
  });

  test('Ctrl-C leaves no process and no mount', async () => {
    const context = use().files('slow', { Dockerfile: 'FROM busybox\nRUN sleep 4242\n' });
    const child = use().start(['build', '--progress=plain', context]);
    const ended = finish(child);
    const sleepers = () =>
      readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes('sleep\u00004242'));
    await eventually(() => sleepers().length > 0, 'the step runs');
    child.kill('SIGINT');
    assert.equal((await ended).code, 130);
    await eventually(() => sleepers().length === 0, 'the step is gone');
    const daemon = readFileSync(join(use().root, 'lock'), 'utf8').trim();
    await eventually(
      () => !readFileSync(`/proc/${daemon}/mountinfo`, 'utf8').includes('/bundles/'),
      'its mounts are gone',
    );
  });
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
