import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { cannotRun, Sandbox } from './support/slipway.ts';

suite('contexts of every kind', { skip: cannotRun }, () => {
  const sandbox = cannotRun ? undefined : new Sandbox();
  const use = (): Sandbox => {
    assert.ok(sandbox);
    return sandbox;
  };
  const served = new Map<string, Buffer>();
  const server = createServer((request, response) => {
    const body = served.get(request.url ?? '');
    response.writeHead(body ? 200 : 404).end(body);
  });
  let url = '';
  let project = '';
  let archive: Buffer;
  before(async () => {
    await use().baseImage('busybox:latest');
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    project = use().files('project', { Dockerfile: 'FROM busybox\nCOPY file /\n', file: 'from the project\n' });
    archive = execFileSync('tar', ['-C', project, '-cf', '-', '.']);
  });
  after(async () => {
    server.close();
    await sandbox?.[Symbol.asyncDispose]();
  });

  /** Builds, and answers what `/file` of the image has. */
  async function fileOf(args: readonly string[], input?: string | Uint8Array): Promise<string> {
    const { code, stderr } = await use().run(['build', '-t', 'built', ...args], input === undefined ? {} : { input });
    assert.equal(code, 0, stderr);
    return use().ok('run', '--rm', 'built', 'cat', '/file');
  }

  test('an archive from standard input: plain, gzip, zstd; the Dockerfile inside by another name', async () => {
    for (const bytes of [archive, gzipSync(archive), zstdCompressSync(archive)])
      assert.equal(await fileOf(['-'], bytes), 'from the project\n');
    const other = use().files('other', { 'build/App.Dockerfile': 'FROM busybox\nRUN echo other > /file\n' });
    const tar = execFileSync('tar', ['-C', other, '-cf', '-', '.']);
    assert.equal(await fileOf(['-f', 'build/App.Dockerfile', '-'], tar), 'other\n');
  });

  test('a Dockerfile or an archive by http', async () => {
    served.set('/Dockerfile', Buffer.from('FROM busybox\nRUN echo fetched > /file\n'));
    served.set('/project.tar.gz', gzipSync(archive));
    assert.equal(await fileOf([`${url}/Dockerfile`]), 'fetched\n');
    assert.equal(await fileOf([`${url}/project.tar.gz`]), 'from the project\n');
    assert.equal(await fileOf(['-f', `${url}/Dockerfile`, project]), 'fetched\n');
    const { code, stderr } = await use().run(['build', '-f', `${url}/none`, project]);
    assert.equal(code, 1);
    assert.match(stderr, /cannot fetch Dockerfile "http.*none": the server answered 404/);
  });

  test('named contexts: a directory, an image, an archive by http, an image layout', async () => {
    const take = use().files('take', { Dockerfile: 'FROM busybox\nCOPY --from=named /file /file\n' });
    assert.equal(await fileOf(['--build-context', `named=${project}`, take]), 'from the project\n');
    await use().ok('build', '-t', 'holder', project);
    assert.equal(await fileOf(['--build-context', 'named=docker-image://holder', take]), 'from the project\n');
    const layout = join(use().directory, 'layout');
    await use().ok('build', '-o', `type=oci,tar=false,name=holder:v1,dest=${layout}`, project);
    const [image] = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests;
    for (const reference of [`${layout}:v1`, `${layout}@${image.digest}`])
      assert.equal(await fileOf(['--build-context', `named=oci-layout://${reference}`, take]), 'from the project\n');
    const { code, stderr } = await use().run(['build', '--build-context', `named=oci-layout://${layout}:v2`, take]);
    assert.equal(code, 1);
    assert.match(stderr, /no image "v2" in it; it has "v1"/);
  });

  test('a named context takes the place of a base image and of a stage', async () => {
    const based = use().files('based', { Dockerfile: 'FROM no.such/base AS x\nFROM y\nCOPY --from=x /file /file\n' });
    await use().ok('build', '-t', 'holder', project);
    const flags = ['no.such/base', 'y'].flatMap((name) => ['--build-context', `${name}=docker-image://holder`]);
    assert.equal(await fileOf([...flags, based]), 'from the project\n');
  });

  test('<Dockerfile>.dockerignore counts before .dockerignore; a Dockerfile in small letters is found', async () => {
    const ignoring = use().files('ignoring', {
      dockerfile: 'FROM busybox\nCOPY . /all\nRUN ls /all > /file\n',
      '.dockerignore': 'kept\n',
      'dockerfile.dockerignore': 'left-out\n*ockerfile*\n.dockerignore\n',
      kept: '',
      'left-out': '',
    });
    assert.equal(await fileOf(['-f', join(ignoring, 'dockerfile'), ignoring]), 'kept\n');
    assert.equal(
      await fileOf([use().files('small', { dockerfile: 'FROM busybox\nRUN echo small > /file\n' })]),
      'small\n',
    );
  });
});
