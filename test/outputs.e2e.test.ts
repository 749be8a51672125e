import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { cannotRun, Sandbox } from './support/slipway.ts';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

suite('outputs of a build', { skip: cannotRun }, () => {
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
        'FROM busybox\nRUN echo one > /one && echo old > /gone\nENV A=1\nRUN rm /gone /bin/true && echo two > /two\nCMD ["cat", "/one", "/two"]\n',
    });
    await use().ok('build', '-q', '-t', 'layered', context);
  });
  after(() => sandbox?.[Symbol.asyncDispose]());
  const layersOf = async (image: string): Promise<string[]> =>
    JSON.parse(await use().ok('image', 'inspect', image))[0].RootFS.Layers;
  const member = (archive: string, name: string) =>
    JSON.parse(execFileSync('tar', ['-xOf', archive, name], { encoding: 'utf8' }));
  const manifestIn = (archive: string) => {
    const [{ digest }] = member(archive, 'index.json').manifests;
    return member(archive, `blobs/sha256/${digest.slice(7)}`) as {
      readonly layers: readonly Descriptor[];
      readonly annotations?: Readonly<Record<string, string>>;
    };
  };

  test('--squash: one layer on top of the base, which looks and runs the same', async () => {
    await use().ok('build', '-q', '--squash', '-t', 'squashed', context);
    const [base, layered, squashed] = await Promise.all(['busybox', 'layered', 'squashed'].map(layersOf));
    assert.equal(layered?.length, 3);
    assert.deepEqual(squashed?.slice(0, -1), base);
    assert.equal(await use().ok('run', '--rm', 'squashed'), 'one\ntwo\n');
    assert.equal((await use().run(['run', '--rm', 'squashed', 'ls', '/gone', '/bin/true'])).code, 1);
    assert.equal((await use().run(['run', '--rm', 'squashed', 'ls', '/gone', '/bin/true'])).stdout, '');
    const sizes = (await use().ok('history', '--format', '{{.Size}} {{.CreatedBy}}', 'squashed')).split('\n');
    assert.match(sizes[1] ?? '', /^0B CMD/);
    assert.match(sizes[2] ?? '', /^0B RUN/);
    // It leaves as what it is.
    await use().ok('save', '-o', path('squashed.tar'), 'squashed');
    await use().ok('rmi', 'squashed');
    await use().ok('load', '-q', '-i', path('squashed.tar'));
    assert.equal(await use().ok('run', '--rm', 'squashed'), 'one\ntwo\n');
  });

  test('several outputs at once', async () => {
    const out = path('out');
    const outputs = [
      `type=local,dest=${out}`,
      `type=oci,dest=${path('a.tar')}`,
      `type=tar,dest=${path('b.tar')}`,
      'type=image,name=also',
    ];
    await use().ok('build', '-q', ...outputs.flatMap((each) => ['-o', each]), context);
    assert.equal(readFileSync(join(out, 'two'), 'utf8'), 'two\n');
    assert.ok(!existsSync(join(out, 'gone')));
    assert.equal(manifestIn(path('a.tar')).layers.length, 3);
    assert.equal(execFileSync('tar', ['-xOf', path('b.tar'), 'one'], { encoding: 'utf8' }), 'one\n');
    assert.equal(await use().ok('run', '--rm', 'also'), 'one\ntwo\n');
  });

  for (const [compression, type, magic] of [
    ['gzip', 'application/vnd.oci.image.layer.v1.tar+gzip', '1f8b'],
    ['zstd', 'application/vnd.oci.image.layer.v1.tar+zstd', '28b52ffd'],
    ['uncompressed', 'application/vnd.oci.image.layer.v1.tar', ''],
  ] as const) {
    test(`compression=${compression}, also of the base when it is forced; it can be loaded again`, async () => {
      const archive = path(`${compression}.tar`);
      await use().ok(
        'build',
        '-q',
        '-o',
        `type=oci,name=as-${compression},dest=${archive},compression=${compression},force-compression=true`,
        context,
      );
      const { layers } = manifestIn(archive);
      assert.deepEqual([...new Set(layers.map(({ mediaType }) => mediaType))], [type]);
      for (const { digest } of layers) {
        const blob = execFileSync('tar', ['-xOf', archive, `blobs/sha256/${digest.slice(7)}`], { maxBuffer: 1 << 26 });
        assert.ok(blob.toString('hex', 0, 4).startsWith(magic));
      }
      await use().ok('load', '-q', '-i', archive);
      assert.equal(await use().ok('run', '--rm', `as-${compression}`), 'one\ntwo\n');
    });
  }

  test('annotations; what --metadata-file and --iidfile tell is what was built', async () => {
    const [archive, metadata, id] = [path('annotated.tar'), path('metadata.json'), path('id')];
    const annotations = ['--annotation', 'who=us', '--annotation', 'manifest:why=test'];
    await use().ok(
      'build',
      '-q',
      ...annotations,
      '--metadata-file',
      metadata,
      '--iidfile',
      id,
      '-o',
      `type=oci,dest=${archive}`,
      context,
    );
    assert.deepEqual(manifestIn(archive).annotations, { who: 'us', why: 'test' });
    const told = JSON.parse(readFileSync(metadata, 'utf8'));
    assert.equal(told['containerimage.digest'], member(archive, 'index.json').manifests[0].digest);
    assert.equal(readFileSync(id, 'utf8'), told['containerimage.config.digest']);
    assert.equal(typeof told['buildx.build.ref'], 'string');
  });

  test('an output that does not exist, a bad compression, a bad boolean: refused with what is possible', async () => {
    const refused = async (output: string, pattern: RegExp) => {
      const { code, stderr } = await use().run(['build', '-o', output, context]);
      assert.equal(code, 1);
      assert.match(stderr, pattern);
    };
    await refused('type=floppy', /cannot export as "floppy".*want image, registry/);
    await refused('type=image,compression=best', /compression "best".*want uncompressed, gzip/);
    await refused('type=image,squash=maybe', /"maybe" for exporter attribute squash.*want true or false/);
  });
});
