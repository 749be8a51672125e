import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { errorMessage } from '../../base/errors.ts';
import { fakeGateway } from '../frontend-fixture.ts';
import { solveDockerfile } from '../solve-dockerfile.ts';

/** What a build says, and what a check says, of the same file. */
async function ask(Dockerfile: string): Promise<{ readonly failure: string | undefined; readonly check: string }> {
  const solve = (options: readonly (readonly [string, string])[]) =>
    solveDockerfile(fakeGateway({ files: { Dockerfile } }), { options: new Map(options), inputs: new Map() });
  const [build] = await Promise.allSettled([solve([])]);
  const { metadata } = await solve([['requestid', 'frontend.lint']]);
  return {
    failure: build.status === 'rejected' ? errorMessage(build.reason) : undefined,
    check: Buffer.from(metadata.get('result.json') ?? '').toString(),
  };
}

const many = (count: number, line: (i: number) => string) => Array.from({ length: count }, (_, i) => line(i)).join('');

// Work that grows with the square of these sizes takes minutes; the runner's own limit would tell.
suite('Dockerfiles made to be slow, for the build and for the check', { timeout: 60_000 }, () => {
  const doubling = (keyword: string) => many(60, (i) => `${keyword} A${i + 1}=$A${i}$A${i}\n`);
  const table: readonly (readonly [string, string, RegExp | undefined])[] = [
    ['B14: args that double', `FROM scratch\nARG A0=xx\n${doubling('ARG')}`, /makes? it longer than/],
    ['B14: global args that double', `ARG A0=xx\n${doubling('ARG')}FROM scratch\n`, /makes? it longer than/],
    ['B14: variables that double', `FROM scratch\nENV A0=xx\n${doubling('ENV')}`, /makes? it longer than/],
    ['B14: a default that names itself', 'FROM scratch\nARG A=${A:-${A:-${A}}}\nLABEL a=$A\n', undefined],
    ['B14: a default without an end', `FROM scratch\nENV A=${'${A:-'.repeat(5000)}x${'}'.repeat(5000)}\n`, /nest/],
    [
      'B15: a chain of 10,000 stages',
      `FROM scratch AS s0\n${many(9_999, (i) => `FROM s${i} AS s${i + 1}\n`)}`,
      undefined,
    ],
    [
      'B15: 3,000 stages that copy from each other',
      `FROM scratch AS s0\n${many(3_000, (i) => `FROM scratch AS s${i + 1}\nCOPY --from=s${i} / /\n`)}`,
      undefined,
    ],
    ['B15: 3,000 stages of one name', many(3_000, () => 'FROM scratch AS a\n'), undefined],
    [
      'B15: a cycle through 3,000 stages',
      `FROM scratch AS s0\nCOPY --from=s2999 / /\n${many(2_999, (i) => `FROM s${i} AS s${i + 1}\n`)}`,
      /circular dependency/,
    ],
    [
      '3,000 variables that nobody knows',
      `FROM scratch\n${many(3_000, (i) => `ENV B${i}=1\nLABEL a=$C${i}\n`)}`,
      undefined,
    ],
    ['3,000 steps', `FROM scratch\n${'RUN true\n'.repeat(3_000)}`, undefined],
  ];
  for (const [name, file, failure] of table)
    test(name, async () => {
      const said = await ask(file);
      if (failure) assert.match(said.failure ?? '', failure);
      else assert.equal(said.failure, undefined);
      const { buildError } = JSON.parse(said.check);
      assert.equal(buildError === undefined, failure === undefined);
    });
});

test('B15: unknown, own and later stages are named, with the place', async () => {
  for (const [from, message] of [
    ['nowhere', /nowhere.*not found/],
    ['a', /"a"|→ a|a →/],
    ['b', /"b"|circular/],
    ['7', /invalid stage index 7/],
  ] as const) {
    const { failure, check } = await ask(`FROM scratch AS a\nCOPY --from=${from} / /\nFROM scratch AS b\nFROM a\n`);
    assert.match(failure ?? '', message);
    assert.ok(JSON.parse(check).buildError.location.ranges[0].start.line > 0, from);
  }
});

test('B24: names that are properties of every object are names like others', async () => {
  const file =
    'ARG __proto__=1\nFROM scratch AS constructor\nARG __proto__\nENV toString=$__proto__ hasOwnProperty=$valueOf\nLABEL __proto__=x constructor=$toString\nFROM constructor\nCOPY --from=constructor / /\n';
  const { failure, check } = await ask(file);
  assert.equal(failure, undefined);
  const { warnings } = JSON.parse(check);
  assert.deepEqual(
    warnings.map(({ detail }: { detail: string }) => detail),
    ["Usage of undefined variable '$valueOf'"],
  );
  assert.equal(Object.hasOwn(Object.prototype, 'x'), false);
});
