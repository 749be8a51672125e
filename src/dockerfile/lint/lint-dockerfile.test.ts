import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite, test } from 'node:test';
import { errorMessage } from '../../base/errors.ts';
import { readIgnoreFile } from '../ignore-patterns.ts';
import { parseDockerfile } from '../parse-dockerfile.ts';
import { dockerRules } from './docker-rules.ts';
import { lintDockerfile, lintFailure } from './lint-dockerfile.ts';
import type { LintOptions } from './lint-options.ts';
import { recommendedRules } from './recommended.ts';

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
