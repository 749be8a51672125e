import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { cannotRun, Sandbox } from './support/slipway.ts';

const missing = (command: string) =>
  spawnSync(command, ['--version']).error ? `there is no ${command} on this machine` : false;

const dockerfile = `# deps are what the app needs
FROM scratch AS deps
# VERSION of the app
ARG VERSION=1
FROM scratch
ARG VERSION
COPY --from=deps / /
MAINTAINER me
CMD app
`;

suite('questions in place of builds', { skip: cannotRun }, () => {
  const sandbox = cannotRun ? undefined : new Sandbox();
  const use = (): Sandbox => {
    assert.ok(sandbox);
    return sandbox;
  };
  const call = (context: string, ...flags: string[]) => use().run(['build', ...flags, context]);
  before(() => {
    use().files('found', { Dockerfile: dockerfile });
    use().files('clean', { Dockerfile: 'FROM scratch\nCMD ["/app"]\n' });
    use().files('broken', { Dockerfile: 'FROM scratch\nMAINTAINER me\nRUNN x\n' });
    use().files('strict', { Dockerfile: '# check=error=true\nFROM scratch\nMAINTAINER me\n' });
  });
  after(() => sandbox?.[Symbol.asyncDispose]());

  test('--check finds nothing', async () => {
    const { code, stdout } = await call('clean', '--check');
    assert.deepEqual([code, stdout], [0, 'Check complete, no warnings found.\n']);
  });

  test('--check finds warnings, names the file as the user does, and fails', async () => {
    const { code, stdout } = await call('found', '--check');
    assert.equal(code, 1);
    assert.match(stdout, /^Check complete, 2 warnings have been found!\n\nWARNING: MaintainerDeprecated - https:/);
    assert.match(stdout, /\nfound\/Dockerfile:9\n-{20}\n {3}7 \| {5}COPY/);
  });

  test('--call check,ignorestatus=true does not', async () => {
    assert.equal((await call('found', '--call', 'check,ignorestatus=true')).code, 0);
  });

  test('errors are told with the warnings', async () => {
    const { code, stdout, stderr } = await call('broken', '--check');
    assert.equal(code, 1);
    assert.match(stdout, /^Check complete, 1 warning has been found!\n[\s\S]*MaintainerDeprecated/);
    assert.match(
      stderr,
      /ERROR: dockerfile parse error on line 3: unknown instruction: RUNN[\s\S]*broken\/Dockerfile:3\n/,
    );
  });

  test('--call check,format=json is data', async () => {
    const { stdout } = await call('found', '--call=check,format=json');
    const { warnings } = JSON.parse(stdout);
    assert.deepEqual(
      warnings.map((each: { ruleName: string }) => each.ruleName),
      ['MaintainerDeprecated', 'JSONArgsRecommended'],
    );
  });

  test('--call outline and targets', async () => {
    const { code, stdout } = await call('found', '--call', 'outline');
    assert.deepEqual([code, stdout], [0, 'BUILD ARG   VALUE   DESCRIPTION\nVERSION             \n\n']);
    assert.equal(
      (await call('found', '--call', 'outline', '--target', 'deps')).stdout,
      'TARGET:      deps\nDESCRIPTION: are what the app needs\n\nBUILD ARG   VALUE   DESCRIPTION\nVERSION     1       of the app\n\n',
    );
    assert.equal(
      (await call('found', '--call', 'targets')).stdout,
      'TARGET    DESCRIPTION\ndeps      are what the app needs\n(default) \n',
    );
  });

  test('nothing is built by a question', async () => {
    await call('found', '--check', '-t', 'asked');
    assert.doesNotMatch(await use().ok('images'), /asked/);
  });

  test('what nobody can answer', async () => {
    assert.match((await call('clean', '--call', 'nope')).stderr, /unsupported request frontend\.nope/);
    assert.match((await call('clean', '--call', 'check,colour=red')).stderr, /"colour=red" means nothing here/);
  });

  test('a build tells its warnings, and error=true makes it fail', async () => {
    const { code, stderr } = await call('found', '--progress=plain');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /2 warnings found \(use --debug to expand\):\n - MaintainerDeprecated: /);
    const strict = await call('strict');
    assert.equal(strict.code, 1);
    assert.match(strict.stderr, /ERROR: .*lint violation found for rules: MaintainerDeprecated/);
  });

  test('--fix mends the file in place, says what, and leaves what only a person can tell', async () => {
    const context = use().files('mended', { Dockerfile: 'FROM scratch AS Base\nMAINTAINER me\nWORKDIR app\n' });
    const file = join(context, 'Dockerfile');
    chmodSync(file, 0o664);
    const first = await call('mended', '--fix');
    assert.deepEqual([first.code, first.stderr.includes('ERROR')], [1, false]);
    assert.match(
      first.stdout,
      /^mended\/Dockerfile:1\n-FROM scratch AS Base\n\+FROM scratch AS base\nmended\/Dockerfile:2\n-MAIN/,
    );
    assert.match(first.stdout, /\nFixed 2 of 3 warnings in mended\/Dockerfile\.\n1 left: /);
    const mended = 'FROM scratch AS base\nLABEL org.opencontainers.image.authors=me\nWORKDIR app\n';
    assert.equal(readFileSync(file, 'utf8'), mended);
    assert.equal(statSync(file).mode & 0o777, 0o664);
    const second = await call('mended', '--fix');
    assert.deepEqual([second.code, second.stdout.split('\n')[0]], [1, 'Fixed 0 of 1 warning in mended/Dockerfile.']);
    assert.equal((await use().run(['build', '--fix', '-'], { input: 'FROM scratch\nMAINTAINER me\n' })).code, 1);
  });

  suite('asked by others', () => {
    test('docker-buildx build --call', { skip: missing('docker-buildx') }, async () => {
      const env = { BUILDX_CONFIG: join(use().directory, 'buildx') };
      const remote = ['create', '--name', 'own', '--driver', 'remote', `unix://${use().socket}`];
      assert.equal((await use().other('docker-buildx', remote, { env })).code, 0);
      for (const kind of ['check', 'outline', 'targets', 'check,format=json']) {
        const args = ['build', '--builder', 'own', '--call', kind, 'found'];
        const theirs = await use().other('docker-buildx', args, { env });
        const ours = await call('found', '--call', kind);
        assert.deepEqual([theirs.code, theirs.stdout], [ours.code, ours.stdout], kind);
      }
    });

    test('buildctl build --opt requestid', { skip: missing('buildctl') }, async () => {
      const place = ['--local', 'context=found', '--local', 'dockerfile=found'];
      const asked = ['--addr', `unix://${use().socket}`, 'build', '--frontend', 'dockerfile.v0', ...place];
      const { stdout } = await use().other('buildctl', [...asked, '--opt', 'requestid=frontend.targets']);
      assert.match(stdout, /^TARGET {4}DESCRIPTION\ndeps/);
    });
  });

  test('names and messages of a hostile file carry no escape sequences to the terminal', async () => {
    writeFileSync(join(use().directory, 'clean', 'evil'), 'FROM scratch\nCMD \x1b]0;owned\x07 \x1b[2J\n');
    const { stdout } = await call('clean', '--check', '-f', 'clean/evil');
    assert.match(stdout, /JSONArgsRecommended/);
    assert.ok(!stdout.includes('\x1b'));
  });
});
