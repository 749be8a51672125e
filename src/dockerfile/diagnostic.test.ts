import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { DockerfileError, drawSource, suggest } from './diagnostic.ts';
import { parseDockerfile } from './parse-dockerfile.ts';

const source = 'FROM a\nRUN b\nRUN c \\\n  d\nRUN e\nRUN f\n';
const rule = '-'.repeat(20);

suite('excerpts', () => {
  const table: readonly (readonly [string, readonly [number, number], readonly string[]])[] = [
    [
      'one line',
      [2, 2],
      ['Dockerfile:2', rule, '   1 |     FROM a', '   2 | >>> RUN b', '   3 |     RUN c \\', '   4 |       d', rule],
    ],
    [
      'several lines',
      [3, 4],
      ['Dockerfile:3', rule, '   2 |     RUN b', '   3 | >>> RUN c \\', '   4 | >>>   d', '   5 |     RUN e', rule],
    ],
    [
      'the last line',
      [6, 6],
      ['Dockerfile:6', rule, '   4 |       d', '   5 |     RUN e', '   6 | >>> RUN f', '   7 |     ', rule],
    ],
  ];
  for (const [name, [startLine, endLine], want] of table)
    test(name, () => assert.equal(drawSource(source, 'Dockerfile', [{ startLine, endLine }]), want.join('\n')));

  test('a place that is not there', () => {
    assert.equal(drawSource('', 'Dockerfile', []), '');
    assert.equal(drawSource('FROM a', 'D', [{ startLine: 9, endLine: 9 }]), `D:9\n${rule}\n${rule}`);
  });

  test('a line of 60 KB is cut', () => {
    const drawn = drawSource(`RUN ${'x'.repeat(60_000)}`, 'D', [{ startLine: 1, endLine: 1 }]);
    assert.ok(drawn.length < 1000 && drawn.includes('…'));
  });
});

suite('did you mean', () => {
  const names = ['ADD', 'ARG', 'COPY', 'ENV', 'FROM', 'RUN', 'HEALTHCHECK', 'ENTRYPOINT'];
  const table: readonly (readonly [string, string | undefined])[] = [
    ['RNU', 'RUN'],
    ['CPOY', 'COPY'],
    ['FORM', 'FROM'],
    ['ENTYPOINT', 'ENTRYPOINT'],
    ['HEALTCHEK', 'HEALTHCHECK'],
    ['copi', 'COPY'],
    ['X', undefined],
    ['SERVICE', undefined],
    ['', undefined],
    ['R'.repeat(60_000), undefined],
  ];
  for (const [word, want] of table) test(word.slice(0, 20), () => assert.equal(suggest(word, names), want));
});

suite('errors of a file', () => {
  const errorOf = (text: string) => new DockerfileError(parseDockerfile(text).diagnostics, 'Dockerfile', text);

  test('one is said as BuildKit says it', () => {
    const error = errorOf('FROM a\nRNU x');
    assert.equal(error.message, 'dockerfile parse error on line 2: unknown instruction: RNU');
    assert.equal(error.hint, 'did you mean RUN?');
    assert.equal(error.code, 'invalid-argument');
  });

  test('several are all said', () => {
    assert.deepEqual(errorOf('FROM a\nRNU x\nUSER').message.split('\n'), [
      'dockerfile parse errors:',
      'Dockerfile:2: unknown instruction: RNU (did you mean RUN?)',
      'Dockerfile:3: USER requires exactly one argument',
    ]);
  });
});
