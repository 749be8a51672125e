import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite, test } from 'node:test';
import { errorMessage } from '../../base/errors.ts';
import { readIgnoreFile } from '../ignore-patterns.ts';
import { parseDockerfile } from '../parse-dockerfile.ts';
import { dockerRules } from './docker-rules.ts';
import { fixes } from './fixes.ts';
import { lintDockerfile, lintFailure } from './lint-dockerfile.ts';
import type { LintOptions } from './lint-options.ts';
import { recommendedRules } from './recommended.ts';
import type { RuleHead } from './rule.ts';

const testdata = join(import.meta.dirname, 'testdata');
const rewrite = process.env.UPDATE_GOLDEN === '1';

interface LintCase {
  readonly name: string;
  /** The Dockerfile, below what the client says: `> ignore="…"`, `> arg="A=1"`, `> check="…"`, `> target="…"`. */
  readonly input: string;
  readonly want: string;
}

function readCases(text: string): readonly LintCase[] {
  return text.split(/^=== /m).flatMap((part) => {
    const match = /^(.*)\n([\s\S]*?)^---\n([\s\S]*)$/m.exec(part);
    return match ? [{ name: match[1] ?? '', input: match[2] ?? '', want: (match[3] ?? '').trim() }] : [];
  });
}

function lint(input: string, more: LintOptions): string {
  const given = new Map(
    Array.from(input.matchAll(/^> (\w+)=(.*)$/gm), ([, key = '', value = '']) => [key, JSON.parse(value)]),
  );
  const parsed = parseDockerfile(input.replace(/^> .*\n/gm, ''));
  const [, key, value] = /^(\w+)=(.*)$/.exec(given.get('arg') ?? '') ?? [];
  const options: LintOptions = {
    buildArgs: new Map(key === undefined || value === undefined ? [] : [[key, value]]),
    target: given.get('target'),
    check: given.get('check'),
    ignorePatterns: readIgnoreFile(given.get('ignore') ?? ''),
    ...more,
  };
  try {
    const warnings = lintDockerfile(parsed, options);
    const failure = lintFailure(parsed, warnings, options);
    const lines = warnings.map(({ rule, range, message }) => `${rule}:${range.startLine}: ${message}`);
    return [...new Set([...lines, ...(failure === undefined ? [] : [`error: ${failure}`])])].toSorted().join('\n');
  } catch (error) {
    return `error: ${errorMessage(error)}`;
  }
}

function runCases(folder: string, more: LintOptions): readonly string[] {
  const names: string[] = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
    const rule = basename(file, '.txt');
    const cases = readCases(readFileSync(join(folder, file), 'utf8'));
    names.push(...cases.map(({ name }) => `${rule}: ${name}`));
    if (rewrite) {
      const parts = cases.map(
        ({ name, input }) => `=== ${name}\n${input}---\n${`${lint(input, more)}\n`.replace(/^\n$/, '')}`,
      );
      writeFileSync(join(folder, file), parts.join('\n'));
    }
    for (const { name, input, want } of cases)
      test(`${rule}: ${name}`, () => {
        assert.equal(lint(input, more), want);
      });
  }
  return names;
}

/** What is wanted is what BuildKit 0.32 says of the same file. */
suite("docker's rules", () => {
  const names = runCases(join(testdata, 'docker'), {});
  test('each rule has a case that finds it and one that does not', () => {
    assert.equal(dockerRules.length, 22);
    for (const { name } of dockerRules.filter(({ name }) => name !== 'InvalidBaseImagePlatform')) {
      const cases = readCases(readFileSync(join(testdata, 'docker', `${name}.txt`), 'utf8'));
      assert.ok(
        cases.some(({ want }) => want.includes(`${name}:`)),
        name,
      );
      assert.ok(
        cases.some(({ want }) => !want.includes(`${name}:`)),
        name,
      );
    }
    assert.ok(names.length >= 150, `${names.length}`);
  });
});

suite('rules of our own', () => {
  const folder = join(testdata, 'recommended');
  runCases(folder, { check: 'experimental=all' });
  test('each rule has a case that finds it and one that does not', () => {
    for (const { name } of recommendedRules) {
      const cases = readCases(readFileSync(join(folder, `${name}.txt`), 'utf8'));
      const finds = ({ want }: LintCase) => want.includes(`${name}:`);
      assert.ok(cases.some(finds) && !cases.every(finds), name);
    }
  });

  test('are silent unless they are asked for', () => {
    assert.equal(lint('FROM node\n', {}), '');
    assert.match(lint('FROM node\n', { check: 'experimental=PinImageTag' }), /^PinImageTag:1: /);
    assert.match(lint('# check=experimental=PinImageTag;error=true\nFROM node\n', {}), /error: lint violation found/);
  });
});

suite('docs/lint.md', () => {
  test('is made of the rules and the first case that finds each', () => {
    const file = join(import.meta.dirname, '../../../docs/lint.md');
    if (rewrite) writeFileSync(file, lintPage());
    assert.equal(readFileSync(file, 'utf8'), lintPage());
  });
});

function lintPage(): string {
  const section = (folder: string) => (rule: RuleHead) => {
    const cases = readCases(readFileSync(join(testdata, folder, `${rule.name}.txt`), 'utf8'));
    const { input, want } = cases.find((each) => each.want.includes(`${rule.name}:`)) ?? { input: '', want: '' };
    const found = want.split('\n').filter((line) => line.startsWith(`${rule.name}:`));
    return [
      `### ${rule.name}\n`,
      `${rule.description}.${rule.hint === undefined ? '' : ` Way out: ${rule.hint}.`}${fixes.has(rule.name) ? ' Mended by `--fix`.' : ''}\n`,
      ...(rule.url === undefined ? [] : [`<${rule.url}>\n`]),
      ...(input === '' ? [] : [`\`\`\`dockerfile\n${input}\`\`\`\n`, `\`\`\`text\n${found.join('\n')}\n\`\`\`\n`]),
    ].join('\n');
  };
  return [
    '# What `slipway build --check` finds\n',
    'Made from the rules and their tests: `UPDATE_GOLDEN=1 node --test src/dockerfile/lint/lint-dockerfile.test.ts`.\n',
    '`# check=skip=Rule,…` at the head of a Dockerfile silences rules, `# check=error=true` makes warnings fail the build,',
    '`# check=experimental=Rule,…|all` turns on what is off by itself; semicolons part them. A comment `# check=skip=Rule` right above an',
    "instruction counts for it alone. The build arg `BUILDKIT_DOCKERFILE_CHECK` takes the place of the file's own line.\n",
    '`slipway build --fix` mends in place what has only one answer, and prints what it changed.\n',
    "## Docker's rules\n",
    ...dockerRules.map(section('docker')),
    '## Rules of our own\n',
    'Off unless asked for.\n',
    ...recommendedRules.map(section('recommended')),
  ].join('\n');
}

suite('what a base image brings', () => {
  const base = (environment: readonly (readonly [string, string])[], more = {}) => ({
    baseImage: () => ({ environment: new Map(environment), ...more }),
  });

  test('variables of an image that nobody looked up may be anything', () => {
    assert.equal(lint('FROM x\nLABEL a=$B\n', {}), '');
    assert.match(lint('FROM x\nLABEL a=$BASE c=$OTHER\n', base([['BASE', '1']])), /^UndefinedVar:2: .*\$OTHER'$/);
  });

  test('InvalidBaseImagePlatform', () => {
    const platform = { expected: 'linux/arm64', actual: 'linux/amd64' };
    assert.equal(
      lint('FROM x\n', base([], { platform })),
      'InvalidBaseImagePlatform:1: Base image x was pulled with platform "linux/amd64", expected "linux/arm64" for current build',
    );
    assert.equal(lint('FROM x\n', base([])), '');
  });

  test('its SHELL is one', () => {
    assert.match(lint('FROM x\nCMD a\n', base([])), /^JSONArgsRecommended/);
    assert.equal(lint('FROM x\nCMD a\n', base([], { hasShell: true })), '');
  });
});
