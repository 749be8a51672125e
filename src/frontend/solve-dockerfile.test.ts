import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { errorMessage, SlipwayError } from '../base/errors.ts';
import { graphText } from '../graph/graph-fixture.ts';
import { sourceOp } from '../graph/ops.ts';
import type { FrontendResult } from './frontend.ts';
import { type FakeBuilder, fakeGateway } from './frontend-fixture.ts';
import { solveDockerfile } from './solve-dockerfile.ts';
import { SourceError } from './source-error.ts';

const golden = join(import.meta.dirname, 'testdata');
const rewrite = process.env.UPDATE_GOLDEN === '1';
const images = JSON.parse(readFileSync(join(golden, 'images.json'), 'utf8'));

/**
 * Each folder holds a Dockerfile, perhaps the client's options, and what comes of it. The digests are those that BuildKit 0.32's
 * own frontend gives the same steps (but for named images, which are pinned here, and paths of named directories, which are joined).
 */
suite('Dockerfiles as graphs', () => {
  for (const name of readdirSync(golden)) {
    const folder = join(golden, name);
    if (!existsSync(join(folder, 'Dockerfile'))) continue;
    test(name, async () => {
      const text = await resultText(folder);
      const file = join(folder, 'graph.txt');
      if (rewrite) writeFileSync(file, text);
      assert.equal(text, readFileSync(file, 'utf8'));
    });
  }
});

async function resultText(folder: string): Promise<string> {
  const optionsFile = join(folder, 'options.json');
  const options = existsSync(optionsFile) ? JSON.parse(readFileSync(optionsFile, 'utf8')) : {};
  const files = { Dockerfile: readFileSync(join(folder, 'Dockerfile')) };
  try {
    return describeResult(
      await solveDockerfile(fakeGateway({ files, images }), {
        options: new Map(Object.entries<string>(options)),
        inputs: new Map(),
      }),
    );
  } catch (error) {
    const hint = error instanceof SlipwayError && error.hint !== undefined ? `hint: ${error.hint}\n` : '';
    return `error: ${errorMessage(error)}\n${hint}`;
  }
}

function describeResult({ refs, metadata }: FrontendResult): string {
  const parts = Array.from(refs, ([platform, edge]) => {
    const key = platform === '' ? 'containerimage.config' : `containerimage.config/${platform}`;
    const config = JSON.parse(Buffer.from(metadata.get(key) ?? '').toString());
    const { history = [], ...rest } = config;
    const made = history.map((entry: object) => `history ${JSON.stringify(entry)}\n`).join('');
    return `${platform === '' ? '' : `== ${platform}\n`}${graphText(edge)}${made}image ${JSON.stringify(rest)}\n`;
  });
  return parts.join('\n');
}

async function solve(
  dockerfile: string,
  options: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string | Uint8Array>> = {},
) {
  const asked: string[] = [];
  const gateway = fakeGateway({
    files: { Dockerfile: dockerfile, ...files },
    images,
    asked: (question) => asked.push(question),
  });
  const result = await solveDockerfile(gateway, { options: new Map(Object.entries(options)), inputs: new Map() });
  return { result, asked, graph: graphText(result.refs.get('')) };
}

suite('what a conversion asks for', () => {
  test('the images of unreachable stages are not looked up', async () => {
    const { asked } = await solve('FROM missing AS a\nRUN x\nFROM busybox AS b\n');
    assert.deepEqual(
      asked.filter((question) => question.startsWith('resolve')),
      ['resolve docker.io/library/busybox:latest for linux/amd64'],
    );
  });

  test('a Dockerfile that is written small is found, and its own ignore file goes before the common one', async () => {
    const files = {
      dockerfile: 'FROM busybox\nCOPY . /\n',
      'Dockerfile.dockerignore': 'secret\n',
      '.dockerignore': 'other\n',
    };
    const { refs } = await solveDockerfile(fakeGateway({ files }), { options: new Map(), inputs: new Map() });
    assert.match(graphText(refs.get('')), /"local.excludepatterns":"\[\\"secret\\"\]"/);
  });

  test('only paths that are used are asked of the client, also those behind variables', async () => {
    const { graph } = await solve('FROM busybox\nARG V=a/b\nCOPY $V /x\nADD c /y\n');
    assert.match(graph, /"local.followpaths":"\[\\"a\/b\\",\\"c\\"\]"/);
  });

  test('a trigger of the base may name a stage that nothing else needs', async () => {
    const { graph } = await solve(
      'FROM busybox AS tools\nRUN make\nFROM busybox AS base\nONBUILD COPY --from=tools /t /t\nFROM base\n',
    );
    assert.match(graph, /ONBUILD COPY --from=tools/);
    assert.match(graph, /RUN make/);
  });

  test('a long chain of stages needs no deep stack', async () => {
    const stages = Array.from({ length: 5000 }, (_, i) => `FROM s${i} AS s${i + 1}\n`);
    const { graph } = await solve(`FROM busybox AS s0\n${stages.join('')}RUN end\n`);
    assert.match(graph, /RUN end/);
  });
});

suite('a context from elsewhere', () => {
  const url = 'https://example.com/x';

  test('an archive is the context, and holds the Dockerfile', async () => {
    const { graph } = await solve(
      'FROM busybox\nCOPY a /b\n',
      { context: url },
      { context: Buffer.from('1f8b0800', 'hex') },
    );
    assert.match(graph, /"attemptUnpackDockerCompatibility":true/);
    assert.match(graph, /\[internal\] load remote build context/);
  });

  test('any other file is the Dockerfile', async () => {
    const { graph } = await solve('', { context: url }, { context: 'FROM busybox\nRUN from-the-web\n' });
    assert.match(graph, /RUN from-the-web/);
  });

  test('a directory of it', async () => {
    const { graph } = await solve('FROM busybox\nCOPY a /b\n', {
      context: 'https://example.com/r.git',
      contextsubdir: '../../sub',
    });
    assert.match(graph, /"src":"\/sub","dest":"\/"/);
  });

  test('a state that the client hands in', async () => {
    const gateway = fakeGateway({ files: { Dockerfile: 'FROM busybox\nCOPY a /b\n' }, images });
    const { refs } = await solveDockerfile(gateway, {
      options: new Map(),
      inputs: new Map([['context', sourceOp('https://example.com/in', {})]]),
    });
    assert.match(graphText(refs.get('')), /identifier "https:\/\/example.com\/in"/);
  });
});

suite('SOURCE_DATE_EPOCH', () => {
  const epochOf = async (
    dockerfile: string,
    options: Readonly<Record<string, string>>,
    builder: Pick<FakeBuilder, 'files' | 'times'> = {},
  ): Promise<unknown> => {
    const gateway = fakeGateway({ ...builder, files: { Dockerfile: dockerfile, ...builder.files }, images });
    const { metadata } = await solveDockerfile(gateway, {
      options: new Map(Object.entries(options)),
      inputs: new Map(),
    });
    const bytes = metadata.get('source.date.epoch');
    return bytes && JSON.parse(Buffer.from(bytes).toString());
  };
  const client = { 'build-arg:SOURCE_DATE_EPOCH': 'context' };

  test('of a repository it is the time of the commit', async () => {
    const context = { ...client, context: 'https://example.com/r.git' };
    assert.equal(await epochOf('FROM busybox\n', context, { times: { '/': 1700000000 } }), 1700000000);
  });

  test('of a download it is what the server says, else the newest file in the archive', async () => {
    const archive = { context: Buffer.from('1f8b0800', 'hex') };
    const context = { ...client, context: 'https://example.com/x.tar.gz' };
    const dockerfile = 'FROM busybox\n';
    assert.equal(await epochOf(dockerfile, context, { files: archive, times: { '/context': 5, '/': 7 } }), 5);
    assert.equal(await epochOf(dockerfile, context, { files: archive, times: { '/context': 0, '/': 7 } }), 7);
  });

  test('a directory of the client has none, and stages do not see the word', async () => {
    assert.equal(await epochOf('FROM busybox\n', client), undefined);
    const { graph } = await solve('FROM busybox\nARG SOURCE_DATE_EPOCH\nRUN x\n', client);
    assert.doesNotMatch(graph, /SOURCE_DATE_EPOCH=/);
  });

  test('a stage that adds one thing from the network', async () => {
    const stage = (more: string) =>
      `ARG SOURCE_DATE_EPOCH=src\nFROM scratch AS src\nARG V=1\nADD https://example.com/$V.txt /\n${more}FROM busybox\n`;
    assert.equal(await epochOf(stage(''), {}, { times: { '/1.txt': 9 } }), 9);
    assert.equal(await epochOf(stage(''), { 'build-arg:V': '2' }, { times: { '/2.txt': 8 } }), 8);
    await assert.rejects(epochOf(stage('COPY a /\n'), {}), /unsupported copy instruction/);
  });

  test('an empty one from the client undoes the default; other words are refused', async () => {
    const dockerfile = 'ARG SOURCE_DATE_EPOCH=5\nFROM busybox\n';
    assert.equal(await epochOf(dockerfile, {}), 5);
    assert.equal(await epochOf(dockerfile, { 'build-arg:SOURCE_DATE_EPOCH': '' }), undefined);
    await assert.rejects(
      epochOf(dockerfile, { 'build-arg:SOURCE_DATE_EPOCH': 'soon' }),
      /invalid SOURCE_DATE_EPOCH: soon/,
    );
  });
});

suite('errors', () => {
  const message = (dockerfile: string, options?: Readonly<Record<string, string>>): Promise<string> =>
    solve(dockerfile, options).then(
      () => 'no error',
      (error: unknown) => {
        const hint = error instanceof SlipwayError ? error.hint : undefined;
        return `${errorMessage(error)}${hint === undefined ? '' : ` (${hint})`}`;
      },
    );

  test('a stage that is nearly named', async () => {
    assert.equal(
      await message('FROM busybox AS build\nFROM scratch\nCOPY --from=biuld /a /b\n'),
      'there is no stage "biuld", and no image either (did you mean build?)',
    );
    assert.equal(
      await message('FROM busybox AS build\n', { target: 'biuld' }),
      'target stage "biuld" could not be found (did you mean build?)',
    );
  });

  test('a stage that comes later', async () => {
    assert.match(
      await message('FROM busybox AS a\nFROM busybox AS b\nCOPY --from=c / /\nFROM busybox AS c\n', { target: 'b' }),
      /cannot copy from stage "c", it needs to be defined before current stage "b"/,
    );
  });

  test('a cycle of thousands of stages is named in short', async () => {
    const stages = Array.from(
      { length: 3000 },
      (_, i) => `FROM busybox AS s${i}\nCOPY --from=s${(i + 1) % 3000} / /\n`,
    );
    const text = await message(stages.join(''));
    assert.match(text, /^circular dependency detected on stage: s0 → s1 .* … .* → s0$/);
    assert.ok(text.length < 300);
  });

  test('a capability that is not there is refused, unless another frontend is to have it', async () => {
    const unknown = 'moby.buildkit.frontend.notexistcap';
    const all = 'moby.buildkit.frontend.inputs,moby.buildkit.frontend.contexts+forward';
    assert.equal(await message('FROM busybox\n', { 'frontend.caps': all }), 'no error');
    for (const word of [unknown, `${unknown}+forward`])
      assert.equal(
        await message('FROM busybox\n', { 'frontend.caps': word }),
        `unsupported frontend capability ${unknown}`,
      );
  });

  test('they know their line', async () => {
    await assert.rejects(solve('FROM busybox\nRUN a\nCOPY --chmod=999 a /b\n'), (error) => {
      assert.ok(error instanceof SourceError);
      assert.deepEqual(error.ranges, [{ startLine: 3, endLine: 3 }]);
      return true;
    });
  });

  test('B24: names such as __proto__ are names like any other', async () => {
    const { result } = await solve('FROM busybox\nARG constructor=a\nENV __proto__=b\nLABEL toString=c __proto__=d\n');
    const config = JSON.parse(Buffer.from(result.metadata.get('containerimage.config') ?? '').toString());
    assert.deepEqual(config.config.Env, ['PATH=/bin:/usr/bin', 'FOO=base', '__proto__=b']);
    assert.deepEqual(Object.entries(config.config.Labels), [
      ['toString', 'c'],
      ['__proto__', 'd'],
    ]);
  });

  test('B1: COPY from outside the context stays inside it', async () => {
    const { graph } = await solve('FROM busybox\nCOPY ../../etc/passwd /\nCOPY /etc/shadow /\n');
    assert.match(graph, /"src":"\/etc\/passwd"/);
    assert.match(graph, /"local.followpaths":"\[\\"etc\/passwd\\",\\"etc\/shadow\\"\]"/);
  });

  test('B13: the name of a heredoc names a file below the root', async () => {
    const { graph } = await solve('FROM busybox\nCOPY <<../../etc/x /d/\ntext\n../../etc/x\n');
    assert.match(graph, /"mkfile":\{"path":"\/etc\/x"/);
    assert.match(graph, /"src":"\/etc\/x","dest":"\/d\/"/);
  });

  test('B8: a login in a git URL is in no error', async () => {
    const text = await message('FROM busybox\nADD https://user:hunter2@example.com/r.git?nonsense=1 /a\n');
    assert.match(text, /unexpected query "nonsense"/);
    assert.doesNotMatch(text, /hunter2/);
  });
});
