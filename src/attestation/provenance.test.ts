import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { execOp, MountType, NetMode, sourceOp } from '../graph/ops.ts';
import { NamedSteps, sourceMetadata } from './build-steps.ts';
import { captureGraph } from './capture.ts';
import { readAttestationOptions } from './options.ts';
import { type ProvenanceFacts, provenancePredicate } from './predicate.ts';
import { imagePurl } from './purl.ts';
import { recordRequest } from './request.ts';

const digest = `sha256:${'a1'.repeat(32)}`;
const amd64 = { os: 'linux', architecture: 'amd64' };

suite('images as package URLs', () => {
  const cases = [
    ['alpine', undefined, 'pkg:docker/alpine@latest'],
    ['docker.io/library/alpine:3.15', undefined, 'pkg:docker/alpine@3.15'],
    [`alpine:latest@${digest}`, undefined, `pkg:docker/alpine@latest?digest=${digest}`],
    [`alpine@${digest}`, amd64, `pkg:docker/alpine?digest=${digest}&platform=linux%2Famd64`],
    ['ghcr.io/foo/bar', undefined, 'pkg:docker/ghcr.io/foo/bar@latest'],
    [
      'localhost:5000/user/test:v2',
      { ...amd64, architecture: 'aarch64' },
      'pkg:docker/localhost:5000/user/test@v2?platform=linux%2Farm64',
    ],
  ] as const;
  for (const [reference, platform, want] of cases)
    test(want, () => assert.equal(imagePurl('docker', reference, platform), want));
});

suite('options of attestations', () => {
  test('what BuildKit takes when nothing is said', () => {
    const { provenance, sbom } = readAttestationOptions([['attest:provenance', '']]);
    assert.equal(sbom, undefined);
    assert.deepEqual(provenance, {
      mode: 'max',
      version: 'v1',
      builderId: '',
      filename: 'provenance.json',
      reproducible: false,
      inlineOnly: false,
      completeMaterials: false,
    });
  });

  test('as fields, as a build argument, switched off', () => {
    const { provenance, sbom } = readAttestationOptions([
      ['attest:provenance', 'mode=min,"builder-id=a,b",version=v0.2,inline-only=true'],
      ['build-arg:BUILDKIT_ATTEST_SBOM', 'generator=scan:1,FOO=bar'],
    ]);
    assert.equal(provenance?.mode, 'min');
    assert.equal(provenance?.version, 'v0.2');
    assert.equal(provenance?.builderId, 'a,b');
    assert.equal(provenance?.inlineOnly, true);
    assert.equal(sbom?.generator, 'scan:1');
    assert.deepEqual([...(sbom?.parameters ?? [])], [['FOO', 'bar']]);
    assert.equal(readAttestationOptions([['attest:provenance', 'disabled=true']]).provenance, undefined);
  });

  for (const [name, value, pattern] of [
    ['attest:vex', '', /unknown attestation type "vex"/],
    ['attest:provenance', 'mode=most', /invalid mode "most"/],
    ['attest:provenance', 'version=v9', /invalid provenance SLSA version: "v9"/],
    ['attest:provenance', 'filename=../x', /cannot use "..\/x" as the file name/],
    ['attest:sbom', 'generator=', /sbom generator cannot be empty/],
  ] as const)
    test(`${name}=${value} is refused`, () => assert.throws(() => readAttestationOptions([[name, value]]), pattern));
});

suite('provenance', () => {
  const base = sourceOp(`docker-image://docker.io/library/busybox:latest@${digest}`, {}, { platform: amd64 });
  const local = sourceOp('local://context', { 'local.session': 'abc', 'local.unique': 'me' });
  const git = sourceOp('git://user:hunter2@example.com/r.git#main:dir', {
    'git.fullurl': 'https://user:hunter2@example.com/r.git',
  });
  const edge = execOp(
    {
      meta: { args: ['/bin/sh', '-c', 'make'], env: ['PATH=/bin', 'API_TOKEN=s3cret'], cwd: '/' },
      mounts: [
        { dest: '/', from: base, isOutput: true },
        { dest: '/src', from: local, readonly: true },
        { dest: '/git', from: git, readonly: true },
        { dest: '/run/secrets/npm', mountType: MountType.SECRET, secretOpt: { ID: 'npm', optional: true } },
        { dest: '/run/ssh', mountType: MountType.SSH, SSHOpt: { ID: '' } },
      ],
      network: NetMode.NONE,
    },
    { location: { startLine: 2, endLine: 3 } },
  );
  const commit = 'c0'.repeat(20);
  const capture = captureGraph(edge.vertex, (vertex) => (vertex === git.vertex.digest ? { commit } : {}));
  const options = new Map([
    ['context', 'https://user:hunter2@example.com/r.git#main:dir'],
    ['filename', 'Dockerfile'],
    ['build-arg:VERSION', '2'],
    ['build-arg:NPM_TOKEN', 's3cret'],
    ['label:a', 'b'],
    ['vcs:revision', 'abc'],
    ['platform', 'linux/amd64'],
    ['attest:provenance', 'mode=max'],
    ['context:dep', 'https://user:hunter2@example.com/dep.tgz'],
  ]);
  const steps = new NamedSteps(edge);
  const factsFor = (text: string): ProvenanceFacts => {
    const provenance = readAttestationOptions([['attest:provenance', text]]).provenance;
    assert.ok(provenance);
    const full = provenance.mode === 'max';
    return {
      options: provenance,
      capture,
      request: recordRequest({ frontend: 'dockerfile.v0', options }, capture, undefined),
      invocationId: 'id',
      startedAt: new Date(0),
      finishedAt: new Date(1000),
      dockerfileVersion: '1.2.3',
      environment: { site: 'here' },
      ...(full ? { buildConfig: steps.config(), layers: { 'step0:0': [[]] } } : {}),
      ...(full
        ? {
            source: sourceMetadata(edge, steps, {
              filename: 'Dockerfile',
              language: 'Dockerfile',
              data: Buffer.from('FROM x'),
            }),
          }
        : {}),
    };
  };
  // biome-ignore lint/suspicious/noExplicitAny: a document as a reader of JSON meets it
  const predicate = (text: string): any => JSON.parse(JSON.stringify(provenancePredicate(factsFor(text))));
  const materials = [
    {
      uri: `pkg:docker/busybox@latest?digest=${digest}&platform=linux%2Famd64`,
      digest: { sha256: 'a1'.repeat(32) },
    },
    { uri: 'https://xxxxx:xxxxx@example.com/r.git#main', digest: { sha1: commit } },
  ];

  test('SLSA v1, mode=max', () => {
    const { buildDefinition, runDetails } = predicate('mode=max');
    assert.deepEqual(buildDefinition.resolvedDependencies, materials);
    assert.deepEqual(buildDefinition.externalParameters, {
      configSource: {
        uri: 'https://xxxxx:xxxxx@example.com/r.git#main:dir',
        digest: { sha1: commit },
        path: 'Dockerfile',
      },
      request: {
        frontend: 'dockerfile.v0',
        args: {
          'build-arg:NPM_TOKEN': '***',
          'build-arg:VERSION': '2',
          'context:dep': 'https://xxxxx:xxxxx@example.com/dep.tgz',
          'label:a': 'b',
        },
        secrets: [{ id: 'npm', optional: true }],
        ssh: [{ id: 'default' }],
        locals: [{ name: 'context' }],
        compatibilityVersion: 30,
      },
    });
    const { buildConfig, ...internal } = buildDefinition.internalParameters;
    assert.deepEqual(Object.keys(internal), ['builderPlatform', 'dockerfileVersion', 'site']);
    assert.deepEqual(
      buildConfig.llbDefinition.map((step: { id: string }) => step.id),
      ['step0', 'step1', 'step2', 'step3', 'step4'],
    );
    assert.deepEqual(buildConfig.llbDefinition[2], {
      id: 'step2',
      op: { Op: { source: { identifier: 'local://context' } }, constraints: {} },
    });
    assert.deepEqual(buildConfig.llbDefinition[3].inputs, ['step0:0', 'step1:0', 'step2:0']);
    assert.deepEqual(buildConfig.llbDefinition[4], { id: 'step4', op: { Op: {} }, inputs: ['step3:0'] });
    assert.equal(buildConfig.digestMapping[edge.vertex.digest], 'step3');
    const { metadata } = runDetails;
    assert.equal(metadata.startedOn, '1970-01-01T00:00:00.000Z');
    assert.deepEqual(metadata.buildkit_completeness, { request: true, resolvedDependencies: false });
    assert.deepEqual(metadata.buildkit_metadata.vcs, { revision: 'abc' });
    assert.deepEqual(metadata.buildkit_metadata.layers, { 'step0:0': [[]] });
    assert.deepEqual(metadata.buildkit_metadata.source.locations, {
      step3: {
        locations: [
          {
            ranges: [
              { start: { line: 2 }, end: { line: 2 } },
              { start: { line: 3 }, end: { line: 3 } },
            ],
          },
        ],
      },
    });
  });

  test('SLSA v0.2, mode=min: no arguments, labels, secrets, graph or file', () => {
    const { invocation, metadata, ...rest } = predicate('mode=min,version=v0.2,reproducible=true');
    assert.deepEqual(rest, { builder: { id: '' }, buildType: 'https://mobyproject.org/buildkit@v1', materials });
    assert.deepEqual(invocation.parameters, {
      frontend: 'dockerfile.v0',
      args: { 'context:dep': 'https://xxxxx:xxxxx@example.com/dep.tgz' },
      locals: [{ name: 'context' }],
      compatibilityVersion: 30,
    });
    assert.equal(invocation.configSource.entryPoint, 'Dockerfile');
    assert.deepEqual(metadata.completeness, { parameters: false, environment: true, materials: false });
    assert.equal(metadata.reproducible, true);
    assert.deepEqual(metadata['https://mobyproject.org/buildkit@v1#metadata'], { vcs: { revision: 'abc' } });
  });

  test('moby/buildkit#4608: what is secret by its name is in no form of it, nor is any login', () => {
    for (const mode of ['min', 'max'])
      for (const version of ['v1', 'v0.2']) {
        const text = JSON.stringify(predicate(`mode=${mode},version=${version}`));
        assert.doesNotMatch(text, /s3cret|hunter2/);
      }
  });

  test('a build without context and network is hermetic', () => {
    const lone = sourceOp(`docker-image://docker.io/library/busybox@${digest}`, {});
    const facts = { ...factsFor('mode=min'), capture: captureGraph(lone.vertex, () => ({})) };
    const { runDetails } = JSON.parse(JSON.stringify(provenancePredicate(facts)));
    assert.equal(runDetails.metadata.buildkit_hermetic, true);
  });
});
