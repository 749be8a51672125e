import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, cpSync, existsSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { stepEnds } from './support/progress.ts';
import { cannotRun, eventually, projectRoot, Sandbox } from './support/slipway.ts';

/** The course's examples as images: what each of their builds makes, keeps and leaves out. */
suite('the examples, built', { skip: cannotRun }, () => {
  const sandbox = cannotRun ? undefined : new Sandbox();
  const use = (): Sandbox => {
    assert.ok(sandbox);
    return sandbox;
  };
  before(async () => {
    for (const name of ['busybox:latest', 'debian:bookworm-slim', 'node:20-alpine', 'python:3.12-slim'])
      await use().baseImage(name);
    cpSync(join(projectRoot, 'examples'), join(use().directory, 'examples'), { recursive: true });
  });
  after(() => sandbox?.[Symbol.asyncDispose]());

  const directoryOf = (example: string) => join(use().directory, 'examples', example);
  /** Builds as somebody would who stands in the example's directory; answers how each step ended. */
  async function build(example: string, tag: string, flags: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
    const { code, stderr } = await use().run(['image', 'build', '--progress=plain', '-t', tag, ...flags, '.'], {
      cwd: directoryOf(example),
      env,
    });
    assert.equal(code, 0, stderr);
    return { steps: stepEnds(stderr), progress: stderr };
  }
  const shell = (image: string, script: string) => use().ok('run', '--rm', '--entrypoint', 'sh', image, '-c', script);
  const inspect = async (image: string, format: string) =>
    JSON.parse(await use().ok('image', 'inspect', '--format', format, image));
  const layersOf = (image: string): Promise<string[]> => inspect(image, '{{json .RootFS.Layers}}');
  const sizeOf = (image: string): Promise<number> => inspect(image, '{{.Size}}');

  test('02 simpleweb: an edit reinstalls the dependencies only where they are copied together with it', async () => {
    await build('02_simpleweb', 'simpleweb');
    await build('02_simpleweb', 'naive', ['-f', 'Dockerfile_naive']);
    appendFileSync(join(directoryOf('02_simpleweb'), 'index.js'), '\n');
    const { steps: ordered } = await build('02_simpleweb', 'simpleweb:v2');
    assert.deepEqual(Object.values(ordered), ['CACHED', 'CACHED', 'CACHED', 'CACHED', 'CACHED', 'DONE']);
    const { steps: naive } = await build('02_simpleweb', 'naive:v2', ['-f', 'Dockerfile_naive']);
    assert.deepEqual(Object.values(naive), ['CACHED', 'CACHED', 'DONE', 'DONE']);
  });

  test('02 simpleweb: history has a row for each instruction; only those that write files have a size', async () => {
    const rows = await use().ok('image', 'history', '--no-trunc', '--format', '{{.CreatedBy}}|{{.Size}}', 'simpleweb');
    const own = rows.split('\n').slice(0, 7);
    assert.deepEqual(
      own.map((row) => row.replace(/\|[1-9].*/, '|some')),
      [
        'ENTRYPOINT ["node" "index.js"]|0B',
        'EXPOSE [8080/tcp]|0B',
        'COPY index.js ./ # buildkit|some',
        'RUN /bin/sh -c npm ci --omit=dev --no-audit --no-fund # buildkit|some',
        'COPY lib ./lib # buildkit|some',
        'COPY package.json package-lock.json ./ # buildkit|some',
        'WORKDIR /usr/app|0B',
      ],
    );
  });

  test('02 simpleweb: .dockerignore keeps the Dockerfiles and what the host installed out of the image', async () => {
    assert.equal(await shell('naive', 'ls -A'), 'index.js\nlib\nnode_modules\npackage-lock.json\npackage.json\n');
  });

  test('images share the layers of their base: each is stored and counted once', async () => {
    const base = await layersOf('node:20-alpine');
    for (const image of ['simpleweb', 'naive']) assert.deepEqual((await layersOf(image)).slice(0, base.length), base);
    const usage = () => use().ok('system', 'df', '--format', '{{.Type}} {{.Size}}');
    const before = (await usage()).split('\n')[0];
    await use().ok('tag', 'simpleweb:v2', 'simpleweb:again');
    await build('02_simpleweb', 'simpleweb:labelled', ['--label', 'a=b']);
    assert.equal((await usage()).split('\n')[0], before);
    assert.match(await use().ok('system', 'df', '-v'), /simpleweb +labelled +\S+ +[\w ]+ ago +(\S+) +\1 +0B/);
  });

  test('a layer never changes: what a container writes is gone with it, and another image has its own', async () => {
    await shell('simpleweb', 'rm index.js; echo changed > package.json');
    assert.equal(await shell('simpleweb', 'test -s index.js && grep -c greeting package.json'), '1\n');
    assert.notEqual((await layersOf('simpleweb')).at(-1), (await layersOf('simpleweb:v2')).at(-1));
  });

  test('the cache looks at content, mode and instruction; not at times, and not at what a RUN would find', async () => {
    const context = use().files('cache', { Dockerfile: 'FROM busybox\nRUN date\nCOPY file /\n', file: 'x' });
    const again = async (...flags: string[]) => {
      const { code, stderr } = await use().run(['build', '--progress=plain', ...flags, context]);
      assert.equal(code, 0, stderr);
      return Object.values(stepEnds(stderr)).slice(1).join(' ');
    };
    await again();
    utimesSync(join(context, 'file'), 1, 1);
    assert.equal(await again(), 'CACHED CACHED');
    chmodSync(join(context, 'file'), 0o755);
    assert.equal(await again(), 'CACHED DONE');
    assert.equal(await again('--no-cache=true'), 'DONE DONE');
  });

  test('05 context: the Dockerfile may lie elsewhere; COPY reaches only the context', async () => {
    const flags = ['--no-cache', '-f', 'dockerfiles/Dockerfile'];
    const { code, stderr } = await use().run(['build', '--progress=plain', '-t', 'helloapp:v2', ...flags, 'context'], {
      cwd: directoryOf('05_context'),
    });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^#\d+ \d+\.\d+ hello$/m);
    const outside = await use().run(['build', '--progress=plain', '-f', '-', 'context'], {
      cwd: directoryOf('05_context'),
      input: 'FROM busybox\nCOPY ../dockerfiles/Dockerfile /\n',
    });
    assert.equal(outside.code, 1);
    assert.match(outside.stderr, /"\/dockerfiles\/Dockerfile"/);
  });

  test('05 context: the size of what had to be read is shown, also where nothing is sent', async () => {
    const context = use().files('large', { Dockerfile: 'FROM busybox\nCOPY . /\n', big: Buffer.alloc(3_000_000) });
    const shown = async () => {
      const { code, stderr } = await use().run(['build', '--progress=plain', context]);
      assert.equal(code, 0, stderr);
      return /^#\d+ (transferring context: \S+)/m.exec(stderr)?.[1];
    };
    assert.equal(await shown(), 'transferring context: 3.00MB');
    await eventually(async () => (await shown()) === undefined, 'nothing is read again that did not change');
  });

  test('06 user: another user than root, without root’s capabilities', async () => {
    assert.match(await use().ok('run', '--rm', 'debian:bookworm-slim', 'id'), /^uid=0\(root\)/);
    await build('06_user', 'no-root');
    assert.match(await use().ok('run', '--rm', 'no-root'), /^uid=1001\(app\) gid=1001\(app\)/);
    assert.match(await shell('no-root', 'grep CapEff /proc/self/status'), /CapEff:\t0{16}\n/);
    const denied = await use().run(['run', '--rm', 'no-root', 'sh', '-c', 'touch /etc/x || cat /etc/shadow']);
    assert.deepEqual([denied.code, denied.stdout], [1, '']);
    assert.match(denied.stderr, /touch: .*Permission denied[\s\S]*shadow: Permission denied/);
  });

  test('07 python: .dockerignore, labels and the user are in the image; a Dockerfile of any name', async () => {
    await build('07_python_app', 'smart-api', ['-f', 'Dockerfile.prod']);
    assert.equal(await shell('smart-api', 'ls -A; id -un'), 'app\nmake_table.py\nsieve.bin\napi\n');
    assert.deepEqual(await inspect('smart-api', '{{json .Config.Labels}}'), {
      'org.opencontainers.image.title': 'smart-api',
      'org.opencontainers.image.description': 'Says whether a number is prime',
    });
    assert.deepEqual(await inspect('smart-api', '{{json .Config.ExposedPorts}}'), { '5000/tcp': {} });
  });

  test('08 multi-stage: the image is smaller by what only the build needed, and other stages did not run', async () => {
    const { progress } = await build('08_python_app_multi_stage', 'smart-api-prod', ['-f', 'Dockerfile.prod']);
    assert.doesNotMatch(progress, /unittest/);
    const saved = (await sizeOf('smart-api')) - (await sizeOf('smart-api-prod'));
    assert.ok(saved > 15_000_000, `${saved} bytes saved`);
    assert.equal(await shell('smart-api-prod', 'ls -A'), 'main.py\nprimes.bin\nprimes.py\n');
    assert.doesNotMatch(await use().ok('history', '--no-trunc', 'smart-api-prod'), /make_table/);
    const tested = await build('08_python_app_multi_stage', 'tested', ['-f', 'Dockerfile.prod', '--target', 'test']);
    assert.match(tested.progress, /Ran 1 test[\s\S]*OK/);
  });

  test('09 secrets: nothing of a secret stays in layers, history, configuration, cache or logs', async () => {
    const canary = 'token-canary-64a1f0';
    const flags = ['--secret', 'id=mytoken,env=TOKEN'];
    const { progress } = await build('09_build_secrets', 'with-secret', flags, { TOKEN: canary });
    assert.ok(!progress.includes(canary));
    assert.equal(
      await shell('with-secret', 'cat /fetched; ls /run/secrets 2>&1; true'),
      `fetched with a token of ${canary.length} characters\nls: /run/secrets: No such file or directory\n`,
    );
    assert.equal(placesOf(canary), '');
    const none = await use().run(['build', '--no-cache', '.'], { cwd: directoryOf('09_build_secrets') });
    assert.equal(none.code, 1);
    assert.match(none.stderr, /mytoken/);
  });

  test('09 secrets: an argument and a variable are kept', async () => {
    const canary = 'argument-canary-77b2';
    const flags = ['-f', 'Dockerfile_wrong', '--build-arg', `TOKEN=${canary}`];
    await build('09_build_secrets', 'leaky', flags);
    assert.match(await use().ok('history', '--no-trunc', 'leaky'), new RegExp(canary));
    assert.match(await use().ok('run', '--rm', 'leaky', 'env'), new RegExp(`API_TOKEN=${canary}`));
  });

  test('an ARG is there while building, an ENV also while running, where --env changes it', async () => {
    const context = use().files('arguments', {
      Dockerfile: 'FROM busybox\nARG WHEN=built\nENV WHO=image\nRUN echo $WHEN $WHO > /seen\nCMD env\n',
    });
    await use().ok('build', '-q', '-t', 'arguments', '--build-arg', 'WHEN=now', context);
    assert.equal(await shell('arguments', 'cat /seen; echo "$WHEN-$WHO"'), 'now image\n-image\n');
    assert.match(await use().ok('run', '--rm', '--env', 'WHO=me', 'arguments'), /^WHO=me$/m);
    assert.ok((await inspect('arguments', '{{json .Config.Env}}')).includes('WHO=image'));
  });

  test('10 ssh: a step can use the agent, whose keys and socket do not reach the image', {
    skip: noAgent(),
  }, async () => {
    await using agent = startAgent(use().directory);
    const { progress } = await build('10_ssh_mounts', 'with-ssh', ['--ssh', 'default'], agent.environment);
    assert.match(progress, /DONE/);
    assert.equal(await use().ok('run', '--rm', 'with-ssh', 'cat', '/keys'), 'key-of-the-example\n');
    assert.equal(await shell('with-ssh', 'ls /run/buildkit 2>/dev/null; echo "[$SSH_AUTH_SOCK]"'), '[]\n');
    assert.equal(placesOf(agent.secretLine), '');
    const none = await use().run(['build', '--progress=plain', '--no-cache', '.'], {
      cwd: directoryOf('10_ssh_mounts'),
    });
    assert.equal(none.code, 1);
    assert.match(none.stderr, /ssh[\s\S]*--ssh default/);
  });

  /** Files of the store that hold a text. */
  const placesOf = (text: string) => spawnSync('grep', ['-rlF', text, use().root], { encoding: 'utf8' }).stdout;
});

function noAgent(): string | false {
  return existsSync('/usr/bin/ssh-agent') ? false : 'there is no ssh-agent here (apt-get install openssh-client)';
}

function startAgent(directory: string) {
  const socket = join(directory, 'agent.sock');
  const said = execFileSync('ssh-agent', ['-a', socket], { encoding: 'utf8' });
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(said)?.[1]);
  const key = join(directory, 'key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'key-of-the-example', '-f', key]);
  const environment = { SSH_AUTH_SOCK: socket };
  execFileSync('ssh-add', ['-q', key], { env: { ...process.env, ...environment } });
  return {
    environment,
    secretLine: readFileSync(key, 'utf8').split('\n')[2] ?? '',
    async [Symbol.asyncDispose]() {
      process.kill(pid);
    },
  };
}
