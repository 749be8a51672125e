import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { parseFlags } from '../flags.ts';
import { buildCommands } from '../table/build-commands.ts';
import { readCacheOptions } from './cache-options.ts';
import { readFields } from './fields.ts';
import { frontendOptions } from './frontend-options.ts';
import { buildMetadata } from './metadata.ts';
import { readOutputs } from './outputs.ts';
import { configuredProxies } from './proxies.ts';
import { readSecrets } from './secrets.ts';

const directory = mkdtempSync(join(tmpdir(), 'slipway-cli-build-'));
after(() => rmSync(directory, { recursive: true }));

const flagsOf = (words: readonly string[]) => parseFlags(words, buildCommands[0]?.flags ?? []).flags;
const optionsOf = (words: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
  frontendOptions(flagsOf(words), environment);

suite("build: the frontend's options", () => {
  const cases: readonly (readonly [readonly string[], Record<string, string>])[] = [
    [[], {}],
    [['--target', 'prod', '--pull'], { target: 'prod', 'image-resolve-mode': 'pull' }],
    [
      ['--build-arg', 'A=1=2', '--build-arg', 'B', '--build-arg', 'C'],
      { 'build-arg:A': '1=2', 'build-arg:B': 'from outside' },
    ],
    [['--label', 'a=b=c', '--label', 'd'], { 'label:a': 'b=c', 'label:d': '' }],
    [['--no-cache', '--no-cache-filter', 'x'], { 'no-cache': '' }],
    [['--no-cache-filter', 'x', '--no-cache-filter', 'y'], { 'no-cache': 'x,y' }],
    [
      ['--platform', 'linux/amd64', '--platform', 'linux/arm64,linux/s390x'],
      { platform: 'linux/amd64,linux/arm64,linux/s390x' },
    ],
    [['--network', 'default'], {}],
    [['--network', 'host', '--shm-size', '64m'], { 'force-network-mode': 'host', 'shm-size': '67108864' }],
    [['--add-host', 'a:1.2.3.4', '--add-host', 'b=::1'], { 'add-hosts': 'a=1.2.3.4,b=::1' }],
    [['--resource', 'memory=1g,cpu-quota=5000'], { memory: '1073741824', cpuquota: '5000' }],
    [['--sbom=true', '--provenance=max'], { 'attest:sbom': '', 'attest:provenance': 'mode=max' }],
    [['--attest', 'type=provenance,mode=min', '--provenance=false'], {}],
    [['--attest', 'type=sbom,generator=x,y=z'], { 'attest:sbom': 'generator=x,y=z' }],
  ];
  for (const [words, want] of cases)
    test(words.join(' ') || '(none)', () => {
      assert.deepEqual(optionsOf(words, { B: 'from outside' }), want);
    });

  test('SOURCE_DATE_EPOCH and the platform come from outside, the flags count more', () => {
    const environment = { SOURCE_DATE_EPOCH: '0', DOCKER_DEFAULT_PLATFORM: 'linux/arm64' };
    assert.deepEqual(optionsOf([], environment), { 'build-arg:SOURCE_DATE_EPOCH': '0', platform: 'linux/arm64' });
    const words = ['--build-arg', 'SOURCE_DATE_EPOCH=5', '--platform', 'linux/amd64'];
    assert.deepEqual(optionsOf(words, environment), { 'build-arg:SOURCE_DATE_EPOCH': '5', platform: 'linux/amd64' });
  });

  test("proxies of docker's config become build arguments", () => {
    const path = join(directory, 'config.json');
    writeFileSync(
      path,
      JSON.stringify({ proxies: { default: { httpProxy: 'http://p', noProxy: 'x' }, 'tcp://other:1': {} } }),
    );
    assert.deepEqual(configuredProxies('unix:///s', path), {
      HTTP_PROXY: 'http://p',
      http_proxy: 'http://p',
      NO_PROXY: 'x',
      no_proxy: 'x',
    });
    assert.deepEqual(configuredProxies('tcp://other:1', path), {});
    assert.deepEqual(configuredProxies('unix:///s', join(directory, 'none.json')), {});
  });
});

suite('build: fields, outputs, caches and secrets', () => {
  test('fields in quotes may hold commas', () => {
    assert.deepEqual(
      [...readFields('type=image,"name=a,b",Push', 'true')],
      [
        ['type', 'image'],
        ['name', 'a,b'],
        ['push', 'true'],
      ],
    );
  });

  test('outputs', () => {
    const outputs = (...words: string[]) => readOutputs(flagsOf(words), flagsOf(words).list('tag'));
    assert.deepEqual(outputs('-t', 'a', '-t', 'b:1'), [{ type: 'image', attrs: { name: 'a,b:1' }, target: undefined }]);
    assert.deepEqual(outputs('-o', directory), [
      { type: 'local', attrs: {}, target: { kind: 'directory', path: directory, deleteOthers: false } },
    ]);
    assert.deepEqual(outputs('-o', `type=oci,dest=${directory}/x.tar`), [
      { type: 'oci', attrs: {}, target: { kind: 'file', path: `${directory}/x.tar` } },
    ]);
    assert.equal(outputs('--push', '-t', 'a')[0]?.type, 'registry');
    assert.equal(outputs('--load')[0]?.type, 'image');
    const [annotated] = outputs('--annotation', 'index:a=b', '--annotation', 'c=d');
    assert.deepEqual(annotated?.attrs, { 'annotation-index.a': 'b', 'annotation.c': 'd' });
    assert.throws(() => outputs('-o', 'dest=x'), /it says no type/);
    assert.throws(() => outputs('-o', `type=tar,dest=${directory}`), /it is a directory/);
    assert.throws(() => outputs('-o', `type=tar,dest=${directory}/no/such/x.tar`), /there is no directory/);
  });

  test('caches', () => {
    assert.deepEqual(readCacheOptions(['repo/cache', 'type=registry,ref=a,mode=max', 'type=inline'], {}), [
      { Type: 'registry', Attrs: { ref: 'repo/cache' } },
      { Type: 'registry', Attrs: { ref: 'a', mode: 'max' } },
      { Type: 'inline', Attrs: {} },
    ]);
    const [gha] = readCacheOptions(['type=gha,token=mine'], {
      ACTIONS_RUNTIME_TOKEN: 'theirs',
      ACTIONS_CACHE_URL: 'u',
    });
    assert.deepEqual(gha, { Type: 'gha', Attrs: { token: 'mine', url: 'u' } });
    assert.throws(() => readCacheOptions(['ref=a']), /it says no type/);
  });

  test('secrets', () => {
    const file = join(directory, 'token');
    writeFileSync(file, 'x');
    assert.deepEqual(
      [...readSecrets([`id=a,src=${file}`, 'id=b,env=HOME'])],
      [
        ['a', { file }],
        ['b', { environment: 'HOME' }],
      ],
    );
    assert.throws(() => readSecrets(['id=a,src=/no/such/file']), /there is no file/);
    assert.throws(() => readSecrets(['id=a,colour=red']), /unexpected key "colour"/);
  });

  test('metadata: descriptors as objects', () => {
    const descriptor = { mediaType: 'm', digest: 'sha256:1', size: 1 };
    const response = {
      'containerimage.digest': 'sha256:1',
      'containerimage.descriptor': Buffer.from(JSON.stringify(descriptor)).toString('base64'),
    };
    assert.deepEqual(buildMetadata('r', response, [], {}), {
      'buildx.build.ref': 'default/default/r',
      'containerimage.digest': 'sha256:1',
      'containerimage.descriptor': descriptor,
    });
    const warning = { vertex: 'v', level: 1, short: 's', detail: [], url: '' };
    const withWarnings = buildMetadata('r', {}, [warning], { BUILDX_METADATA_WARNINGS: 'true' });
    assert.deepEqual(withWarnings['buildx.build.warnings'], [{ vertex: 'v', level: 1, short: 'cw==' }]);
  });
});
