import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { assertNowhere, Canary } from './support/canary.ts';
import { cannotRun, Sandbox } from './support/slipway.ts';

// What has gone wrong in builders, by the names of the field's list; nothing outside a build is touched, and the next build works.
suite('hazards that a build can meet', { skip: cannotRun }, () => {
  const sandbox = cannotRun ? undefined : new Sandbox();
  const use = (): Sandbox => {
    assert.ok(sandbox);
    return sandbox;
  };
  let host: Canary;
  let outside: string;
  let count = 0;
  before(async () => {
    await use().baseImage('busybox:latest');
    host = new Canary(join(use().directory, 'outside'));
    outside = host.directory;
  });
  after(async () => {
    host?.assertNowhereIn(use().root);
    await sandbox?.[Symbol.asyncDispose]();
  });
  const context = (files: Record<string, string>) => use().files(`context-${++count}`, files);
  const build = async (files: Record<string, string>, ...args: string[]) => {
    const result = await use().run(['build', '--progress=plain', ...args, context(files)]);
    host.assertUntouched(result.stderr);
    host.assertUnseen(result.stdout + result.stderr);
    return result;
  };
  const builds = async (files: Record<string, string>, ...args: string[]) => {
    const result = await build(files, ...args);
    assert.equal(result.code, 0, result.stderr);
    return result.stdout + result.stderr;
  };
  const fails = async (files: Record<string, string>, pattern: RegExp, ...args: string[]) => {
    const result = await build(files, ...args);
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, pattern);
    assert.equal(result.stderr.match(/^ERROR: /gm)?.length, 1);
    await builds({ Dockerfile: 'FROM busybox\n' });
  };

  test('A24: ADD of an archive where the image has an absolute symlink', async () => {
    const directory = context({
      'in/file': 'added',
      Dockerfile: `FROM busybox\nRUN mkdir /real && ln -s /real /door && ln -s ${outside} /out\nADD a.tar /door/\nADD a.tar /out/\nRUN cat /real/file\n`,
    });
    execFileSync('tar', ['-C', join(directory, 'in'), '-cf', join(directory, 'a.tar'), 'file']);
    await use().ok('build', '-q', directory);
    host.assertUntouched();
  });

  test('A25: as many layers as overlayfs takes, and a clear word beyond', async () => {
    const lines = Array.from({ length: 600 }, (_, i) => `COPY f /f${i}\n`).join('');
    const few = lines.split('\n').slice(0, 400).join('\n');
    await builds({ f: '1', Dockerfile: `FROM busybox\n${few}\nRUN ls /f399\n` });
    await fails(
      { f: '1', Dockerfile: `FROM busybox\n${lines}RUN ls /f599\n` },
      /cannot mount \d+ layers: overlayfs takes \d+/,
    );
  });

  test('B3: a Dockerfile that is a symlink out of the context is not followed', async () => {
    const directory = context({ f: '1' });
    writeFileSync(join(use().directory, 'elsewhere'), 'FROM busybox\nRUN echo from-elsewhere\n');
    symlinkSync('../elsewhere', join(directory, 'Dockerfile'));
    const { stdout, stderr } = await use().run(['build', '--progress=plain', directory]);
    assert.doesNotMatch(stdout + stderr, /echo from-elsewhere/);
  });

  test('B16: WORKDIR through a symlink stays inside; a newline in it makes no user (CVE-2026-55686)', async () => {
    await builds({ Dockerfile: `FROM busybox\nRUN ln -s ${outside} /door\nWORKDIR /door/made\nRUN touch here\n` });
    await builds({
      Dockerfile: 'FROM busybox\nWORKDIR "/a\\nroot2:x:0:0::/:/bin/sh"\nRUN ! grep -q root2 /etc/passwd\n',
    });
  });

  test('B17: user numbers that are too large or would wrap to root (CVE-2024-40635)', async () => {
    for (const user of ['4294967296', '2147483648:2147483648', '18446744073709551616', '-1'])
      await fails({ Dockerfile: `FROM busybox\nUSER ${user}\nRUN id\n` }, /user|uid|gid/i);
  });

  test('B17: a number is a number, whatever the image’s passwd calls it', async () => {
    const passwd = 'root:x:0:0::/:/bin/sh\\n1000:x:0:0::/:/bin/sh\\n';
    const said = await builds({
      Dockerfile: `FROM busybox\nRUN printf '${passwd}' > /etc/passwd\nUSER 1000\nRUN echo "is $(id -u)"\n`,
    });
    assert.match(said, /is 1000/);
  });

  test('B18: an endless /etc/passwd costs no memory', async () => {
    await fails(
      { Dockerfile: 'FROM busybox\nRUN truncate -s 1G /etc/passwd\nUSER somebody\nRUN id\n' },
      /passwd|somebody/,
    );
  });

  test('B19: supplementary groups are those of the image’s user, and no others', async () => {
    const groups = 'root:x:0:\\nextra:x:500:me\\nother:x:501:you\\n';
    const said = await builds({
      Dockerfile: `FROM busybox\nRUN printf 'root:x:0:0::/:/bin/sh\\nme:x:400:400::/:/bin/sh\\n' > /etc/passwd && printf '${groups}me:x:400:\\n' > /etc/group\nUSER me\nRUN echo "groups $(id -G)"\n`,
    });
    assert.match(said, /groups 400 500$/m);
  });

  test('B21: what a base image’s ONBUILD does is shown, and stays in the build', async () => {
    await builds(
      { Dockerfile: `FROM busybox\nONBUILD COPY . /src\nONBUILD RUN echo trigger > ${outside}/canary2 || true\n` },
      '-t',
      'triggers',
    );
    const said = await builds({ Dockerfile: 'FROM triggers\nRUN ls /src\n', f: '1' });
    assert.match(said, /ONBUILD|COPY \. \/src/);
  });

  test('D2: secrets whose ids and targets try to leave; one that is too large', async () => {
    const secret = join(use().directory, 'secret');
    writeFileSync(secret, 'hush');
    const run = (mount: string) => ({
      Dockerfile: `FROM busybox\nRUN --mount=type=secret,${mount} find / -xdev -name 'token*' | head; true\n`,
    });
    await build(run('id=token,target=../../../../../../token'), '--secret', `id=token,src=${secret}`);
    await build(run(`id=token,target=${host.file}`), '--secret', `id=token,src=${secret}`);
    await build(run('id=../token'), '--secret', `id=../token,src=${secret}`);
    writeFileSync(secret, Buffer.alloc(600 * 1024));
    await fails(run('id=token'), /larger than/, '--no-cache', '--secret', `id=token,src=${secret}`);
  });

  test('D3: no stub of a secret’s mount stays in the layer', async () => {
    const secret = join(use().directory, 'secret');
    writeFileSync(secret, 'hush');
    const out = join(use().directory, 'd3');
    await builds(
      { Dockerfile: 'FROM busybox\nRUN --mount=type=secret,id=token cat /run/secrets/token > /dev/null\n' },
      '--secret',
      `id=token,src=${secret}`,
      '-o',
      out,
    );
    assert.ok(!readdirSync(out).includes('run') || readdirSync(join(out, 'run')).length === 0);
  });

  test('D4, D5: a secret that a step prints is masked in every form of the log, and nowhere in the store', async () => {
    const secret = join(use().directory, 'secret');
    writeFileSync(secret, 'canary-hunter2-canary');
    const files = {
      Dockerfile:
        'FROM busybox\nRUN --mount=type=secret,id=token cat /run/secrets/token; echo; cat /run/secrets/token >&2\n',
    };
    for (const form of ['plain', 'rawjson']) {
      const { code, stdout, stderr } = await build(
        files,
        `--progress=${form}`,
        '--no-cache',
        '--secret',
        `id=token,src=${secret}`,
      );
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stdout + stderr, /hunter2/);
      assert.ok(!(stdout + stderr).includes(Buffer.from('canary-hunter2-canary').toString('base64').slice(0, 12)));
    }
    assertNowhere('canary-hunter2-canary', use().root);
  });

  test('D6: an ssh agent that was not asked for, and one that is gone', async () => {
    const files = { Dockerfile: 'FROM busybox\nRUN --mount=type=ssh,id=mine,required=true true\n' };
    await fails(files, /ssh|agent/i);
    const gone = await build(files, '--ssh', `mine=${join(use().directory, 'no-socket')}`);
    assert.deepEqual([gone.code, gone.stdout], [1, '']);
    assert.match(gone.stderr, /^slipway: cannot use ssh agent "mine": ".*" is no socket/);
  });

  test('F1: a changed HEALTHCHECK, ONBUILD or label is in the image though its steps were cached (CVE-2024-24557)', async () => {
    const dockerfile = (more: string) => ({ Dockerfile: `FROM busybox\nRUN echo same > /same\n${more}` });
    await builds(dockerfile('HEALTHCHECK CMD true\nLABEL a=1\n'), '-t', 'f1');
    await builds(dockerfile('HEALTHCHECK CMD false\nLABEL a=2\nONBUILD RUN true\n'), '-t', 'f1');
    const [{ Config }] = JSON.parse(await use().ok('image', 'inspect', 'f1'));
    assert.deepEqual(
      [Config.Healthcheck.Test, Config.Labels.a, Config.OnBuild],
      [['CMD-SHELL', 'false'], '2', ['RUN true']],
    );
  });

  test('F4: a cache mount’s id names no path', async () => {
    for (const id of ['../../x', '/etc', `${outside}`, '.', '..', 'a/b'])
      await builds({
        Dockerfile: `FROM busybox\nRUN --mount=type=cache,id=${id},target=/cache touch /cache/canary2\n`,
      });
  });

  test('F5: files that come out go nowhere through links of the image or of the destination', async () => {
    const out = join(use().directory, 'f5');
    mkdirSync(out);
    symlinkSync(outside, join(out, 'door'));
    await build({ Dockerfile: `FROM scratch\nCOPY tree /\n`, 'tree/door/file': 'dead', 'tree/x': '1' }, '-o', out);
    const image = context({
      Dockerfile: `FROM busybox AS b\nRUN mkdir /t && ln -s ${outside} /t/out && touch /t/suid && chmod 4755 /t/suid\nFROM scratch\nCOPY --from=b /t /\n`,
    });
    await use().ok('build', '-q', '-o', out, image);
    assert.ok(lstatSync(join(out, 'out')).isSymbolicLink());
    host.assertUntouched();
  });

  test('F14: nothing of ours lies under a name that others can guess', async () => {
    await builds({ Dockerfile: 'FROM busybox\nRUN true\n' }, '--no-cache');
    assert.equal(lstatSync(use().root).mode & 0o007, 0);
    for (const name of ['content', 'snapshots', 'meta.db', 'contexts', 'cache-mounts', 'run']) {
      const stat = lstatSync(join(use().root, name), { throwIfNoEntry: false });
      if (stat) assert.equal(stat.uid, 0, name);
    }
  });
});
