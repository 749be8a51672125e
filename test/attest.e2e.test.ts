import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { cannotRun, Sandbox } from './support/slipway.ts';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly artifactType?: string;
  readonly platform?: { readonly os: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly artifactType?: string;
  readonly subject?: Descriptor;
  readonly manifests: readonly Descriptor[];
  readonly layers: readonly Descriptor[];
}

suite('what is said of a build', { skip: cannotRun }, () => {
  const sandbox = cannotRun ? undefined : new Sandbox();
  const use = (): Sandbox => {
    assert.ok(sandbox);
    return sandbox;
  };
  const path = (name: string) => join(use().directory, name);
  let context: string;
  before(async () => {
    await use().baseImage('busybox:latest');
    context = use().files('context', {
      Dockerfile:
        'FROM busybox AS made\nARG API_TOKEN\nRUN --mount=type=secret,id=key cat /run/secrets/key >/dev/null && echo ok > /foo\nFROM scratch\nCOPY --from=made /foo /\n',
      key: 'topsecret',
    });
  });
  after(() => sandbox?.[Symbol.asyncDispose]());
  const build = (...args: readonly string[]) =>
    use().ok('build', '-q', '--secret', `id=key,src=${join(context, 'key')}`, ...args, context);
  const read = (archive: string, name: string) => execFileSync('tar', ['-xOf', archive, name], { encoding: 'utf8' });
  const blob = (archive: string, { digest }: Descriptor) =>
    JSON.parse(read(archive, `blobs/sha256/${digest.slice(7)}`)) as Manifest;
  const indexOf = (archive: string): Manifest => {
    const [target] = JSON.parse(read(archive, 'index.json')).manifests;
    return blob(archive, target);
  };

  test('an image with provenance is an index; the statement names the image', async () => {
    const archive = path('max.tar');
    await build(
      '--provenance=max',
      '--build-arg',
      'API_TOKEN=s3cret',
      '-t',
      'demo:1',
      '-o',
      `type=oci,dest=${archive}`,
    );
    const [image, said] = indexOf(archive).manifests;
    assert.ok(image && said);
    assert.equal(said.platform?.os, 'unknown');
    assert.deepEqual(said.annotations, {
      'vnd.docker.reference.digest': image.digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    });
    const manifest = blob(archive, said);
    assert.equal(manifest.artifactType, 'application/vnd.docker.attestation.manifest.v1+json');
    assert.equal(manifest.subject?.digest, image.digest);
    const [layer] = manifest.layers;
    assert.ok(layer);
    assert.equal(layer.mediaType, 'application/vnd.in-toto+json');
    assert.equal(layer.annotations?.['in-toto.io/predicate-type'], 'https://slsa.dev/provenance/v1');
    const text = read(archive, `blobs/sha256/${layer.digest.slice(7)}`);
    const { subject, predicate } = JSON.parse(text);
    assert.match(subject[0].name, /^pkg:docker\/demo@1\?platform=linux%2F/);
    assert.equal(`sha256:${subject[0].digest.sha256}`, image.digest);
    assert.match(predicate.buildDefinition.resolvedDependencies[0].uri, /^pkg:docker\/busybox@latest/);
    assert.deepEqual(predicate.buildDefinition.externalParameters.request.secrets, [{ id: 'key', optional: true }]);
    assert.equal(predicate.runDetails.metadata.buildkit_metadata.source.infos[0].filename, 'Dockerfile');
    // What it is of is there: the layers of the last step are the image's.
    const stacks = Object.values(predicate.runDetails.metadata.buildkit_metadata.layers) as Descriptor[][][];
    const [made] = blob(archive, image).layers;
    assert.ok(stacks.some(([stack]) => stack?.length === 1 && stack[0]?.digest === made?.digest));
    assert.doesNotMatch(text, /topsecret|s3cret/);
  });

  test('into the store, listed, run and saved like any image', async () => {
    const file = use().files('run', { Dockerfile: 'FROM busybox\nRUN echo hello > /hello\nCMD ["cat", "/hello"]\n' });
    await use().ok('build', '-q', '--provenance=min', '-t', 'told', file);
    assert.equal(await use().ok('run', '--rm', 'told'), 'hello\n');
    assert.equal((await use().ok('image', 'ls', '-q', 'told')).trim().split('\n').length, 1);
    await use().ok('save', '-o', path('told.tar'), 'told');
    assert.equal(indexOf(path('told.tar')).manifests.length, 2);
  });

  test('without being asked nothing is said', async () => {
    await build('-o', `type=oci,dest=${path('plain.tar')}`);
    assert.equal(indexOf(path('plain.tar')).manifests, undefined);
  });

  test('beside exported files, which are its subjects', async () => {
    await build('--provenance=version=v0.2', '-o', path('out'));
    assert.equal(readFileSync(path('out/foo'), 'utf8'), 'ok\n');
    const { subject, predicateType } = JSON.parse(readFileSync(path('out/provenance.json'), 'utf8'));
    assert.equal(predicateType, 'https://slsa.dev/provenance/v0.2');
    assert.deepEqual(
      subject.map(({ name }: { name: string }) => name),
      ['foo'],
    );
    await build('--provenance=mode=min,inline-only=true', '-o', path('inline'));
    assert.ok(!existsSync(path('inline/provenance.json')));
  });

  test('two platforms in one directory', async () => {
    const file = use().files('two', {
      Dockerfile: 'FROM scratch\nARG TARGETARCH\nCOPY foo /foo-${TARGETARCH}\n',
      foo: 'x',
    });
    const out = `type=local,dest=${path('both')},platform-split=false,attestation-prefix=a-`;
    await use().ok('build', '-q', '--platform', 'linux/amd64,linux/arm64', '--provenance=true', '-o', out, file);
    for (const arch of ['amd64', 'arm64']) {
      assert.ok(existsSync(path(`both/foo-${arch}`)));
      assert.ok(existsSync(path(`both/a-provenance.linux_${arch}.json`)));
    }
    const clash = use().files('clash', { Dockerfile: 'FROM scratch\nCOPY foo /\n', foo: 'x' });
    const { code, stderr } = await use().run(['build', '--platform', 'linux/amd64,linux/arm64', '-o', out, clash]);
    assert.equal(code, 1);
    assert.match(stderr, /cannot overwrite foo from linux\/amd64 with linux\/arm64/);
  });

  test('attestations need OCI types', async () => {
    const { code, stderr } = await use().run([
      ...['build', '--provenance=true', '-o', `type=docker,dest=${path('docker.tar')}`],
      ...['--secret', `id=key,src=${join(context, 'key')}`, context],
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /cannot export attestations with "oci-mediatypes=false"/);
  });
});
