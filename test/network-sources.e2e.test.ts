import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { cannotRun, type Result, Sandbox } from './support/slipway.ts';

/** A server on the loopback interface for the time of the suite. */
class TestServer {
  readonly seen: IncomingMessage[] = [];
  readonly #server: Server;

  constructor(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    this.#server = createServer((request, response) => {
      this.seen.push(request);
      answer(request, response);
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

suite('sources from the network', { skip: cannotRun }, () => {
  const sandbox = cannotRun ? undefined : new Sandbox();
  const use = (): Sandbox => {
    assert.ok(sandbox);
    return sandbox;
  };
  let repository = '';
  let wanted: string | undefined;
  const other = new TestServer((_request, response) => response.end('from elsewhere\n'));
  const main = new TestServer((request, response) => {
    const { url = '', headers } = request;
    if (wanted !== undefined && headers.authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      return;
    }
    const file = join(repository, '.git', url.replace(/^\/r\.git/, '').replace(/\?.*$/, ''));
    if (url === '/moved') response.writeHead(302, { location: `http://localhost:${other.port}/x` }).end();
    else if (url === '/file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    else if (url === '/text') response.end('text\n');
    else if (statSync(file, { throwIfNoEntry: false })?.isFile()) response.end(readFileSync(file));
    else response.writeHead(404).end();
  });
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', repository, '-c', 'user.name=x', '-c', 'user.email=x@x', ...args], { stdio: 'pipe' });

  before(async () => {
    await use().baseImage('busybox:latest');
    repository = use().files('repository', { readme: 'from git\n', 'sub/file': 'sub\n' });
    symlinkSync('/etc', join(repository, 'out'));
    git('init', '-q', '-b', 'main');
    git('add', '.');
    git('commit', '-q', '-m', 'first');
    git('update-server-info');
    await Promise.all([main.start(), other.start()]);
  });
  after(async () => {
    main.stop();
    other.stop();
    await sandbox?.[Symbol.asyncDispose]();
  });

  let count = 0;
  const build = (add: string, ...flags: string[]): Promise<Result> => {
    const context = use().files(`net-${++count}`, { Dockerfile: `FROM busybox\n${add}\n` });
    return use().run(['build', '--progress=plain', '-t', `net-${count}`, ...flags, context]);
  };
  const host = () => `http://127.0.0.1:${main.port}`;
  const secret = (id: string, value: string): string => {
    const file = join(use().directory, `${id}.txt`);
    writeFileSync(file, value);
    return `--secret=id=${id},src=${file}`;
  };
  /** That a build failed, why, and that no word of it is kept anywhere. */
  const refused = ({ code, stderr }: Result, why: RegExp): void => {
    assert.notEqual(code, 0);
    assert.match(stderr, why);
  };
  const kept = (word: string) =>
    execFileSync('sh', ['-c', `grep -rl ${word} ${use().root} || true`], { encoding: 'utf8' });

  test('a repository behind a login takes the client’s token, which is kept nowhere', async () => {
    const token = 'canary-token-1';
    wanted = `basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
    refused(await build(`ADD ${host()}/r.git#main /r`), /cannot fetch "http:\/\/127.0.0.1/);
    const { code, stderr } = await build(`ADD ${host()}/r.git#main /r`, secret('GIT_AUTH_TOKEN', token));
    assert.equal(code, 0, stderr);
    assert.equal(await use().ok('run', '--rm', `net-${count}`, 'cat', '/r/readme'), 'from git\n');
    wanted = undefined;
    assert.doesNotMatch(stderr, /canary-token/);
    assert.equal(kept(token), '');
  });

  test('B11: a login is for the host that it is for, and does not follow to another', async () => {
    const token = 'canary-token-2';
    const flag = secret('HTTP_AUTH_TOKEN_127.0.0.1', token);
    const { code, stderr } = await build(`ADD ${host()}/moved /x`, flag);
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      main.seen.filter(({ url }) => url === '/moved').map(({ headers }) => headers.authorization),
      [`Bearer ${token}`],
    );
    assert.deepEqual(
      other.seen.map(({ headers }) => headers.authorization),
      [undefined],
    );
    assert.equal(kept(token), '');
  });

  test('B10: other bytes than those of the checksum, and a redirect to a file, are refused', async () => {
    const sum = `sha256:${'0'.repeat(64)}`;
    refused(
      await build(`ADD --checksum=${sum} ${host()}/text /x`),
      /digest mismatch sha256:[0-9a-f]{64}: sha256:0{64}/,
    );
    refused(await build(`ADD ${host()}/file /x`), /cannot fetch/);
  });

  test('B5, CVE-2019-13139: a ref that git would take for an option is none', async () => {
    const canary = join(use().directory, 'canary');
    refused(await build(`ADD ${host()}/r.git#--upload-pack=touch\${IFS}${canary} /x`), /cannot use git source/);
    assert.ok(!existsSync(canary));
  });

  test('B6, CVE-2026-33748: a directory outside of the repository is none', async () => {
    const { code } = await build(`ADD ${host()}/r.git#main:../../.. /x`);
    if (code === 0) assert.equal(await use().ok('run', '--rm', `net-${count}`, 'cat', '/x/readme'), 'from git\n');
    const link = await build(`ADD ${host()}/r.git#main:out /x\nRUN ! test -e /x/passwd`);
    if (link.code !== 0) assert.doesNotMatch(link.stderr, /test -e/);
  });

  test('B7, CVE-2022-39253: a submodule that names files of this machine is not fetched', async () => {
    const inner = use().files('inner', { secret: 'canary-inner\n' });
    const innerGit = (...args: string[]) =>
      execFileSync('git', ['-C', inner, '-c', 'user.name=x', '-c', 'user.email=x@x', ...args], { stdio: 'pipe' });
    innerGit('init', '-q');
    innerGit('add', '.');
    innerGit('commit', '-q', '-m', 'inner');
    git('-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', inner, 'module');
    git('commit', '-q', '-m', 'with a module');
    git('branch', 'evil');
    git('reset', '-q', '--hard', 'HEAD~1');
    git('update-server-info');
    refused(await build(`ADD ${host()}/r.git#evil /x`), /cannot fetch .*(file|protocol|submodule)/s);
  });
});
