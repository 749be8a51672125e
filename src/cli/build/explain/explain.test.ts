import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { BlobPointer, FileListing, RecordedStep } from '../../../api/history/build-steps.ts';
import { digestOf } from '../../../base/digest.ts';
import { type Explanation, explainBuild } from './explain-steps.ts';
import { partsOf } from './match-steps.ts';
import { explanationLines } from './print-explanation.ts';

const pointer = (name: string): BlobPointer => ({
  mediaType: 'application/vnd.slipway.build.files.v1+json',
  digest: digestOf(name),
  size: 1,
});

/** A small build: a base image, a context, `COPY . .` and what comes after; keys are made of what each step is made of. */
class Recipe {
  base = 'sha256:base';
  files: Record<string, string> = { 'package.json': '644 a', 'app.js': '644 a' };
  runs: string[] = ['npm install', 'make'];
  environment: Record<string, string> = {};
  ran: (step: string) => boolean = () => true;
  noCache = false;

  steps(): RecordedStep[] {
    const count = this.runs.length + 1;
    const context = JSON.stringify(this.files);
    const step = (digest: string, more: Partial<RecordedStep>): RecordedStep => ({
      digest,
      name: digest,
      kind: 'exec',
      outcome: this.ran(more.name ?? digest) ? 'ran' : 'cached',
      seconds: 2,
      ignoreCache: this.noCache && more.kind !== 'source',
      facts: {},
      inputs: [],
      ...more,
    });
    const environment = Object.entries(this.environment).map(([name, value]) => [`environment ${name}`, value]);
    let key = `${this.base} ${context}`;
    const steps = [
      step('base', {
        name: '[1/3] FROM node',
        kind: 'source',
        facts: { source: 'docker-image://node', manifest: this.base },
      }),
      step('context', { name: '[internal] load build context', kind: 'source' }),
      step('copy', {
        name: `[2/${count}] COPY . .`,
        kind: 'file',
        seconds: 0.1,
        facts: { 'action 0': 'copy / /' },
        inputs: [
          { step: 'base', key: this.base, content: false },
          { step: 'context', key: context, content: true, files: pointer(context.slice(-20)) },
        ],
      }),
    ];
    for (const [i, command] of this.runs.entries()) {
      const input = { step: steps.at(-1)?.digest ?? '', key, content: false };
      key += ` ${command} ${JSON.stringify(this.environment)}`;
      steps.push(
        step(`run ${command}`, {
          name: `[${i + 3}/${count}] RUN ${command}`,
          facts: { command, ...Object.fromEntries(environment) },
          inputs: [input],
        }),
      );
    }
    return steps;
  }

  get listing(): FileListing {
    return new Map(
      Object.entries(this.files).map(([path, text]) => {
        const [mode = '', digest = ''] = text.split(' ');
        return [path, { mode, digest }];
      }),
    );
  }
}

async function compare(before: Recipe | undefined, now: Recipe): Promise<Explanation> {
  const pairs = [before, now].flatMap((each) => (each ? [each] : []));
  return explainBuild({
    now: { steps: now.steps() },
    before: before && { steps: before.steps() },
    beforeAt: before && new Date(0),
    async listing({ digest }) {
      const found = pairs.find((each) => pointer(JSON.stringify(each.files).slice(-20)).digest === digest);
      assert.ok(found);
      return found.listing;
    },
  });
}

const recipe = (changes: Partial<Recipe> = {}) => Object.assign(new Recipe(), changes);
const reasonsOf = ({ ran }: Explanation) =>
  ran.map(({ name, reasons }) => [partsOf(name).text, ...reasons.map(({ kind }) => kind)]);

suite('why steps ran', () => {
  test('the first build of a target', async () => {
    const { ran, comparedWith } = await compare(undefined, recipe());
    assert.equal(comparedWith, undefined);
    assert.deepEqual([...new Set(ran.flatMap(({ reasons }) => reasons.map(({ kind }) => kind)))], ['no-earlier-build']);
  });

  test('nothing ran', async () => {
    const explanation = await compare(recipe(), recipe({ ran: () => false }));
    assert.deepEqual([explanation.ran, explanation.cached, explanation.advice], [[], 3, []]);
    assert.deepEqual(explanationLines(explanation), [
      'Nothing ran: all 3 steps were cached, compared with the build of 1970-01-01 00:00:00.',
    ]);
  });

  test('files that were added, changed, removed, made executable', async () => {
    const files = { 'app.js': '644 b', 'new.js': '644 a', 'package.json': '755 a' };
    const { ran } = await compare(recipe({ files: { ...recipe().files, 'old.js': '644 a' } }), recipe({ files }));
    assert.deepEqual(ran[0]?.reasons, [
      { kind: 'file', path: 'app.js', change: 'changed' },
      { kind: 'file', path: 'new.js', change: 'added' },
      { kind: 'file', path: 'old.js', change: 'removed' },
      { kind: 'file', path: 'package.json', change: 'mode' },
    ]);
    assert.deepEqual(ran[1]?.reasons, [{ kind: 'earlier-step', step: '[2/3] COPY . .' }]);
  });

  test('another base image', async () => {
    const { ran } = await compare(recipe(), recipe({ base: 'sha256:other' }));
    assert.deepEqual(ran[0]?.reasons, [
      { kind: 'base-image', name: '[1/3] FROM node', before: 'sha256:base', after: 'sha256:other' },
    ]);
  });

  test('a command that changed, one that is new, and what builds on them', async () => {
    const changed = await compare(recipe(), recipe({ runs: ['npm ci', 'make'], ran: (name) => name.includes('RUN') }));
    assert.deepEqual(reasonsOf(changed), [
      ['RUN npm ci', 'fact'],
      ['RUN make', 'earlier-step'],
    ]);
    assert.deepEqual(changed.ran[0]?.reasons, [
      { kind: 'fact', name: 'command', before: 'npm install', after: 'npm ci' },
    ]);
    const added = await compare(
      recipe(),
      recipe({ runs: ['npm install', 'make', 'make test'], ran: (name) => name.includes('test') }),
    );
    assert.deepEqual(reasonsOf(added), [['RUN make test', 'new-step']]);
  });

  test('a variable that changed, came or went', async () => {
    const before = recipe({ environment: { MODE: 'dev', OLD: '1' } });
    const { ran } = await compare(
      before,
      recipe({ environment: { MODE: 'prod', NEW: '2' }, ran: (name) => name.includes('RUN') }),
    );
    assert.deepEqual(ran[0]?.reasons, [
      { kind: 'fact', name: 'environment MODE', before: 'dev', after: 'prod' },
      { kind: 'fact', name: 'environment OLD', before: '1' },
      { kind: 'fact', name: 'environment NEW', after: '2' },
    ]);
  });

  test('--no-cache, and a result that is gone', async () => {
    assert.deepEqual(reasonsOf(await compare(recipe(), recipe({ noCache: true })))[0], ['COPY . .', 'no-cache']);
    const gone = await compare(recipe(), recipe({ ran: (name) => name.includes('make') }));
    assert.deepEqual(reasonsOf(gone), [['RUN make', 'no-record']]);
  });
});

suite('what would have kept steps cached', () => {
  const textOf = async (before: Recipe, now: Recipe) => (await compare(before, now)).advice;

  test('an install that reads only the manifest', async () => {
    const [advice] = await textOf(recipe(), recipe({ files: { 'package.json': '644 a', 'app.js': '644 b' } }));
    assert.match(
      advice?.text ?? '',
      /^copy the files that name the dependencies, and run "RUN npm install", before "COPY \. \."$/,
    );
    assert.equal(advice?.savedSeconds, 2);
  });

  test('no word of it when the manifest itself changed', async () => {
    const advice = await textOf(
      recipe({ runs: ['npm install'] }),
      recipe({ runs: ['npm install'], files: { 'package.json': '644 b', 'app.js': '644 a' } }),
    );
    assert.doesNotMatch(advice.map(({ text }) => text).join(), /dependencies/);
  });

  test('steps that do not name the file, with their seconds together; not those that do', async () => {
    const runs = ['apt-get update', 'node app.js', 'make'];
    const [advice] = await textOf(
      recipe({ runs }),
      recipe({ runs, files: { 'package.json': '644 a', 'app.js': '644 b' } }),
    );
    assert.deepEqual(advice?.steps, ['[3/4] RUN apt-get update', '[5/4] RUN make']);
    assert.equal(advice?.savedSeconds, 4);
  });

  test('a Dockerfile inside its own COPY belongs into .dockerignore', async () => {
    const before = recipe({ files: { Dockerfile: '644 a' } });
    const [advice] = await textOf(before, recipe({ files: { Dockerfile: '644 b' } }));
    assert.equal(advice?.text, 'name "Dockerfile" in .dockerignore');
  });

  test('a variable before steps that do not name it', async () => {
    const ran = (name: string) => name.includes('RUN');
    const advice = await textOf(recipe({ environment: { MODE: 'a' } }), recipe({ environment: { MODE: 'b' }, ran }));
    assert.match(
      advice.map(({ text }) => text).join(),
      /^set "MODE" after "RUN npm install", "RUN make", which do not name it$/,
    );
  });

  test('nothing that costs next to nothing', async () => {
    const runs = ['true'];
    const steps = (each: Recipe) => each.steps().map((step) => ({ ...step, seconds: 0.01 }));
    const [before, now] = [recipe({ runs, environment: { A: '1' } }), recipe({ runs, environment: { A: '2' } })];
    const { advice } = await explainBuild({
      now: { steps: steps(now) },
      before: { steps: steps(before) },
      beforeAt: new Date(0),
      listing: async () => new Map(),
    });
    assert.deepEqual(advice, []);
  });
});

test('what is printed for a step', async () => {
  const lines = explanationLines(await compare(recipe(), recipe({ files: { ...recipe().files, 'app.js': '644 b' } })));
  assert.deepEqual(lines.slice(0, 5), [
    '3 steps ran, 0 cached, compared with the build of 1970-01-01 00:00:00.',
    '',
    '[2/3] COPY . .  0.1 s',
    '   changed app.js',
    '',
  ]);
});
