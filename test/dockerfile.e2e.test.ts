import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { cannotRun, Sandbox } from './support/slipway.ts';

suite('the Dockerfile language', { skip: cannotRun }, () => {
  const sandbox = cannotRun ? undefined : new Sandbox();
  const use = (): Sandbox => {
    assert.ok(sandbox);
    return sandbox;
  };
  before(() => use().baseImage('busybox:latest'));
  after(() => sandbox?.[Symbol.asyncDispose]());

  let count = 0;
  /** Builds, and answers what a shell in the image then prints. */
  async function shown(
    dockerfile: string,
    script: string,
    options: { files?: Record<string, string>; flags?: string[] } = {},
  ): Promise<string> {
    const name = `case-${++count}`;
    const context = use().files(name, { Dockerfile: dockerfile, ...options.files });
    const { code, stderr } = await use().run([
      'build',
      '--progress=plain',
      '-t',
      name,
      ...(options.flags ?? []),
      context,
    ]);
    assert.equal(code, 0, stderr);
    return use().ok('run', '--rm', '--entrypoint', 'sh', name, '-c', script);
  }

  test('global, stage and inherited args; ENV goes before ARG', async () => {
    const dockerfile =
      'ARG TAG=latest\nARG OUT=global\nFROM busybox:$TAG AS a\nARG OUT\nARG A=1\nARG B=arg\nENV B=env\nRUN echo $OUT $A $B > /out\nFROM a\nARG A\nRUN echo $A >> /out\n';
    assert.equal(await shown(dockerfile, 'cat /out', { flags: ['--build-arg', 'A=2'] }), 'global 2 env\n2\n');
  });

  test('heredocs: a script, a program of its own, files', async () => {
    const dockerfile = `FROM busybox
ARG WHO=me
RUN <<EOF
echo one > /out
echo two >> /out
EOF
RUN <<PROGRAM
#!/bin/busybox cat
PROGRAM
COPY <<FIRST <<"SECOND" /conf/
expanded $WHO
FIRST
kept $WHO
SECOND
`;
    assert.equal(await shown(dockerfile, 'cat /out /conf/FIRST /conf/SECOND'), 'one\ntwo\nexpanded me\nkept $WHO\n');
  });

  test('mounts: cache survives builds, bind shows the context, tmpfs and secrets leave nothing', async () => {
    const canary = 'canary-7391-value';
    const dockerfile = `FROM busybox
ARG N
RUN --mount=type=cache,target=/cache echo $N >> /cache/log; wc -l < /cache/log > /count
RUN --mount=type=bind,source=sub,target=/sub cp /sub/file /copied
RUN --mount=type=tmpfs,target=/scratch touch /scratch/x
RUN --mount=type=secret,id=token cat /run/secrets/token; test -s /run/secrets/token
RUN --mount=type=secret,id=token,env=TOKEN test -n "$TOKEN"
`;
    const files = { 'sub/file': 'bound\n' };
    // Outside the context: what lies in that is the build's to keep.
    const token = join(use().files('secrets', { token: canary }), 'token');
    const flags = (n: number) => ['--build-arg', `N=${n}`, '--secret', `id=token,src=${token}`];
    assert.equal(
      await shown(dockerfile, 'cat /count /copied; ls /scratch /run/secrets 2>&1 | wc -l', { files, flags: flags(1) }),
      '1\nbound\n2\n',
    );
    assert.equal(await shown(dockerfile, 'cat /count', { files, flags: flags(2) }), '2\n');
    // As in BuildKit, the cache of a step is no longer one where the step shall have none.
    const none = [...flags(3), '--no-cache'];
    assert.equal(await shown(dockerfile, 'cat /count', { files, flags: none }), '1\n');
    // D1: the secret is in no layer, config, record or log of the daemon.
    const found = execFileSync('sh', ['-c', `grep -rl ${canary} ${use().root} || true`], { encoding: 'utf8' });
    assert.equal(found, '');
  });

  test('COPY: owner, mode, links, parents, exclusions, other stages, wildcards', async () => {
    const files = { 'a/one.txt': '1', 'a/b/two.txt': '2', 'a/b/skip.md': 'x', 'three.txt': '3' };
    const dockerfile = `FROM busybox AS made
RUN mkdir /m && echo made > /m/file && chown 5:6 /m/file
FROM busybox
COPY --chown=33:33 --chmod=u=rw,go= three.txt /owned/
COPY --parents a/*/two.txt /parents/
COPY --parents ./a/./b/two.txt /pivot/
COPY --exclude=*.md a/b/ /some/
COPY *.txt /wild/
COPY --from=made /m /made
COPY --link --from=busybox /etc/group /linked/
`;
    const script =
      'stat -c "%u:%g %a" /owned/three.txt; cat /parents/a/b/two.txt /pivot/b/two.txt; ls /some /wild; stat -c %u:%g /made/file; test -s /linked/group && echo linked';
    assert.equal(
      await shown(dockerfile, script, { files }),
      '33:33 600\n22/some:\ntwo.txt\n\n/wild:\nthree.txt\n5:6\nlinked\n',
    );
  });

  test('ADD: archives by their content, URLs with checksums, repositories', async () => {
    const source = use().files('archive', { 'in/file': 'from the archive\n' });
    execFileSync('tar', ['-czf', join(source, 'data'), '-C', join(source, 'in'), '.']);
    const repository = use().files('repository', { 'dir/readme': 'from git\n' });
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', repository, '-c', 'user.name=x', '-c', 'user.email=x@x', ...args]);
    git('init', '-q', '-b', 'main');
    git('add', '.');
    git('commit', '-q', '-m', 'first');
    git('update-server-info');
    const server = createServer((request, response) => {
      const path = join(repository, '.git', (request.url ?? '').replace(/^\/r\.git/, '').replace(/\?.*$/, ''));
      if (request.url === '/file') response.end('from the network\n');
      else if (statSync(path, { throwIfNoEntry: false })?.isFile()) response.end(readFileSync(path));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const sum = execFileSync('sh', ['-c', "printf 'from the network\\n' | sha256sum | cut -d' ' -f1"], {
        encoding: 'utf8',
      }).trim();
      const dockerfile = `FROM busybox\nADD data /unpacked/\nADD --unpack=false data /packed/\nADD --checksum=sha256:${sum} ${host}/file /net/\nADD ${host}/r.git#main:dir /git/\n`;
      const context = { data: readFileSync(join(source, 'data')) as unknown as string };
      assert.equal(
        await shown(dockerfile, 'cat /unpacked/file; ls /packed; cat /net/file /git/readme; stat -c %a /net/file', {
          files: context,
        }),
        'from the archive\ndata\nfrom the network\nfrom git\n600\n',
      );
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  test('ADD of a URL asks whether it has changed and fetches it only then', async () => {
    let content = 'one\n';
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method}`);
      const etag = `"${content.trim()}"`;
      if (request.headers['if-none-match'] === etag) response.writeHead(304).end();
      else response.writeHead(200, { etag }).end(content);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
    try {
      const dockerfile = `FROM busybox\nADD ${url} /x\n`;
      assert.equal(await shown(dockerfile, 'cat /x'), 'one\n');
      assert.equal(await shown(dockerfile, 'cat /x'), 'one\n');
      assert.deepEqual(asked.splice(0), ['GET', 'HEAD']);
      content = 'two\n';
      assert.equal(await shown(dockerfile, 'cat /x'), 'two\n');
      assert.deepEqual(asked, ['HEAD', 'GET']);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  test('SOURCE_DATE_EPOCH=context is the time of the commit, as are those of its files', async () => {
    const repository = use().files('dated', {
      Dockerfile: 'FROM busybox\nARG SOURCE_DATE_EPOCH\nCOPY f /f\nRUN echo $SOURCE_DATE_EPOCH > /e\n',
      f: 'x',
    });
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', repository, '-c', 'user.name=x', '-c', 'user.email=x@x', ...args], {
        env: { ...process.env, GIT_COMMITTER_DATE: '2001-02-03T04:05:06Z' },
      });
    git('init', '-q', '-b', 'main');
    git('add', '.');
    git('commit', '-q', '-m', 'first');
    git('update-server-info');
    const server = createServer((request, response) => {
      const path = join(repository, '.git', (request.url ?? '').replace(/^\/r\.git/, '').replace(/\?.*$/, ''));
      if (statSync(path, { throwIfNoEntry: false })?.isFile()) response.end(readFileSync(path));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/r.git#main`;
    try {
      await use().ok('build', '-q', '-t', 'dated', '--build-arg', 'SOURCE_DATE_EPOCH=context', url);
      assert.equal(
        await use().ok('run', '--rm', 'dated', 'sh', '-c', 'cat /e; stat -c %Y /f'),
        '981173106\n981173106\n',
      );
      assert.match(await use().ok('image', 'inspect', '--format', '{{.Created}}', 'dated'), /^2001-02-03T04:05:06Z/);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  test('the image config says what the instructions said', async () => {
    const dockerfile = `FROM busybox
LABEL one=1 "two words"="x y"
ENV A=1 B=\${A:-unset}
WORKDIR /w
WORKDIR sub
USER www-data
EXPOSE 80 443/udp 8000-8001
VOLUME ["/data"]
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --retries=2 CMD true
SHELL ["/bin/sh", "-ec"]
ENTRYPOINT ["cat"]
CMD echo hi
`;
    await shown(dockerfile, 'true');
    const config = JSON.parse(await use().ok('image', 'inspect', '--format', '{{json .Config}}', `case-${count}`));
    assert.deepEqual(config, {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'A=1', 'B=unset'],
      Labels: { one: '1', 'two words': 'x y' },
      WorkingDir: '/w/sub',
      User: 'www-data',
      ExposedPorts: { '80/tcp': {}, '443/udp': {}, '8000/tcp': {}, '8001/tcp': {} },
      Volumes: { '/data': {} },
      StopSignal: 'SIGINT',
      Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 5_000_000_000, Retries: 2 },
      Shell: ['/bin/sh', '-ec'],
      Entrypoint: ['cat'],
      Cmd: ['/bin/sh', '-ec', 'echo hi'],
      ArgsEscaped: true,
    });
  });

  test('B16: a WORKDIR behind a symlink stays in the image', async () => {
    const canary = '/slipway-b16-outside';
    const dockerfile = `FROM busybox\nRUN ln -s ../../../../../../../../.. /up && ln -s / /top\nWORKDIR /up${canary}/a\nWORKDIR /top/b\nRUN pwd\n`;
    assert.equal(await shown(dockerfile, `test -d ${canary}/a && ls -d /b`), '/b\n');
    assert.ok(!existsSync(canary));
  });

  test('B17, CVE-2024-40635: a USER that is no number of a user is not root', async () => {
    for (const user of ['4294967296', '2147483648', '-1', '0x0', '99999999999999999999', '1:4294967296']) {
      const context = use().files(`user-${user.length}-${user.charCodeAt(0)}`, {
        Dockerfile: `FROM busybox\nUSER ${user}\nRUN echo I am $(id -u):$(id -g)\n`,
      });
      const { code, stderr } = await use().run(['build', '--progress=plain', '--no-cache', context]);
      assert.notEqual(code, 0, stderr);
      assert.doesNotMatch(stderr, /I am \d/);
    }
  });

  test('B21: triggers of a base are shown as such, and see nothing but the build', async () => {
    await shown('FROM busybox\nONBUILD COPY . /context\nONBUILD RUN test ! -e /.dockerenv-of-host\n', 'true');
    const parent = `case-${count}`;
    const context = use().files('triggered', { Dockerfile: `FROM ${parent}\n`, file: 'x' });
    const { code, stderr } = await use().run(['build', '--progress=plain', '-t', 'triggered', context]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /\[2\/3\] ONBUILD COPY \. \/context/);
    assert.equal(await use().ok('run', '--rm', 'triggered', 'ls', '/context'), 'Dockerfile\nfile\n');
  });

  test('ONBUILD runs in the child, once', async () => {
    await shown('FROM busybox\nONBUILD COPY file /from-parent\nONBUILD RUN echo triggered > /triggered\n', 'true');
    const dockerfile = `FROM case-${count}\nRUN cat /triggered > /seen\n`;
    assert.equal(await shown(dockerfile, 'cat /seen /from-parent', { files: { file: 'mine\n' } }), 'triggered\nmine\n');
    assert.equal(await use().ok('image', 'inspect', '--format', '{{json .Config.OnBuild}}', `case-${count}`), 'null\n');
  });

  test('stages that the target does not need never run; a target can be named or numbered', async () => {
    const dockerfile = 'FROM busybox AS good\nRUN echo good > /which\nFROM busybox AS bad\nRUN exit 1\n';
    assert.equal(await shown(dockerfile, 'cat /which', { flags: ['--target', 'GOOD'] }), 'good\n');
    assert.equal(await shown(dockerfile, 'cat /which', { flags: ['--target', '0'] }), 'good\n');
  });

  test('other contexts, the Dockerfile or the context from standard input', async () => {
    const other = use().files('other', { file: 'other\n' });
    assert.equal(
      await shown('FROM busybox\nCOPY --from=more /file /\n', 'cat /file', {
        flags: ['--build-context', `more=${other}`],
      }),
      'other\n',
    );
    const fromInput = await use().run(['build', '-q', '-t', 'stdin', '-'], {
      input: 'FROM busybox\nRUN echo in > /x\n',
    });
    assert.equal(fromInput.code, 0, fromInput.stderr);
    assert.equal(await use().ok('run', '--rm', 'stdin', 'cat', '/x'), 'in\n');
    const file = await use().run(['build', '-q', '-t', 'stdin', '-f', '-', other], {
      input: 'FROM busybox\nCOPY file /\n',
    });
    assert.equal(file.code, 0, file.stderr);
  });

  test('two builds of the same give the same image, and nothing is left behind', async () => {
    const ids = await Promise.all(
      Array.from({ length: 5 }, async () =>
        use().ok('build', '-q', join(use().directory, 'case-1'), '--build-arg', 'A=2'),
      ),
    );
    assert.equal(new Set(ids).size, 1);
    assert.deepEqual(readdirSync(join(use().root, 'run/steps')), []);
  });
});
