import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ellipsis, goTime, humanAge, humanSize, shortId } from './human.ts';
import { type Columns, formatRows } from './table.ts';

const columns: Columns = [
  ['Repository', 'REPOSITORY'],
  ['Tag', 'TAG'],
  ['ID', 'IMAGE ID'],
];
const rows = [
  { Repository: 'web-ping', Tag: 'latest', ID: 'aaa', CreatedSince: '2 minutes ago' },
  { Repository: 'registry.example/long/name', Tag: 'v2', ID: 'bbb', CreatedSince: '3 days ago' },
];

suite('tables', () => {
  test('columns are as wide as their widest cell, three blanks apart', () => {
    assert.deepEqual(formatRows(rows, { columns }), [
      'REPOSITORY                   TAG      IMAGE ID',
      'web-ping                     latest   aaa',
      'registry.example/long/name   v2       bbb',
    ]);
  });

  test('no rows: the headings alone', () => {
    assert.deepEqual(formatRows([], { columns }), ['REPOSITORY   TAG   IMAGE ID']);
    assert.deepEqual(formatRows([], { columns, format: '{{.ID}}' }), []);
  });

  test('table TEMPLATE has headings, a template alone has none, json has one document a row', () => {
    const format = 'table {{.Tag}}\\t{{.CreatedSince}}';
    assert.deepEqual(formatRows(rows, { columns, format, headings: { CreatedSince: 'CREATED' } }), [
      'TAG      CREATED',
      'latest   2 minutes ago',
      'v2       3 days ago',
    ]);
    assert.deepEqual(formatRows(rows, { columns, format: '{{.ID}}: {{upper .Tag}}' }), ['aaa: LATEST', 'bbb: V2']);
    assert.deepEqual(
      formatRows(rows, { columns, format: 'json' }).map((line) => JSON.parse(line).ID),
      ['aaa', 'bbb'],
    );
  });

  test('placeholders with an argument', () => {
    const labelled = [{ Names: 'web', Label: (key: unknown) => (key === 'app' ? 'shop' : '') }];
    const options = { columns: [['Names', 'NAMES']] as const, format: 'table {{.Names}}\t{{.Label "app"}}' };
    assert.deepEqual(formatRows(labelled, options), ['NAMES   APP', 'web     shop']);
  });

  test('a placeholder that does not exist names those that do', () => {
    assert.throws(
      () => formatRows(rows, { columns, format: '{{.Nope}}' }),
      /field Nope: there are Repository, Tag, ID/,
    );
  });

  test('wide characters are aligned by what they take', () => {
    assert.deepEqual(
      formatRows([{ A: '界', B: 'x' }], {
        columns: [
          ['A', 'A'],
          ['B', 'B'],
        ],
      }),
      ['A    B', '界   x'],
    );
  });
});

suite('sizes, times and ids', () => {
  test('sizes have four significant digits, or as many as asked', () => {
    const cases = [0, 999, 1000, 1234, 12_345, 123_456, 1_234_567, 77_800_000, 1e9, 1.5e12];
    assert.deepEqual(
      cases.map((bytes) => humanSize(bytes)),
      ['0B', '999B', '1kB', '1.234kB', '12.35kB', '123.5kB', '1.235MB', '77.8MB', '1GB', '1.5TB'],
    );
    assert.equal(humanSize(1_234_567, 3), '1.23MB');
  });

  test('ages', () => {
    const now = new Date('2026-01-02T00:00:00Z');
    const ago = (seconds: number) => humanAge(new Date(now.getTime() - seconds * 1000), now);
    assert.deepEqual([2, 60, 120, 7200, 86_400 * 3].map(ago), [
      '2 seconds ago',
      'About a minute ago',
      '2 minutes ago',
      '2 hours ago',
      '3 days ago',
    ]);
    assert.equal(humanAge(new Date(0), now), 'N/A');
    assert.equal(humanAge(new Date('0001-01-01T00:00:00Z'), now), 'N/A');
    assert.equal(goTime(now), '2026-01-02 00:00:00 +0000 UTC');
  });

  test('ids and long texts', () => {
    assert.equal(shortId(`sha256:${'ab'.repeat(32)}`), 'abababababab');
    assert.equal(ellipsis('abcdef', 4), 'abc…');
    assert.equal(ellipsis('abcd', 4), 'abcd');
  });
});
