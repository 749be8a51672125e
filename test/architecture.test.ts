import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The table under "Parts" in docs/architecture.md: `| part | may import |`. */
function allowedImports(): Map<string, Set<string>> {
  const table = new Map<string, Set<string>>();
  for (const line of readFileSync(join(root, 'docs/architecture.md'), 'utf8').split('\n')) {
    const row = /^\| `([a-z-]+)` \|[^|]*\| ([^|]*) \|$/.exec(line);
    if (row?.[1] === undefined || row[2] === undefined) continue;
    table.set(row[1], new Set([...row[2].matchAll(/`([a-z-]+)`/g)].map((match) => match[1] ?? '')));
  }
  return table;
}

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(/(?:^|\n)\s*(import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"](\.[^'"]+)['"]/g);
  const lazy = text.matchAll(/\bimport\(\s*['"](\.[^'"]+)['"]\s*\)/g);
  const at = (target: string) => normalize(join(dirname(file), target));
  return [
    ...[...found].map((match) => ({ from: file, to: at(match[3] ?? ''), typeOnly: match[2] !== undefined })),
    ...[...lazy].map((match) => ({ from: file, to: at(match[1] ?? ''), typeOnly: false })),
  ];
}

const partOf = (file: string) => file.split('/')[1] ?? '';
const isTest = (file: string) => /\.(test|suite)\.ts$/.test(file) || file.includes('/testdata/');
const sources = globSync('src/**/*.ts', { cwd: root }).filter((file) => !isTest(file));
const allImports = sources.flatMap(importsOf);

suite('architecture', () => {
  const table = allowedImports();

  test('every folder of src is a part of the table, and every part is a folder', () => {
    const folders = new Set(sources.map(partOf));
    assert.deepEqual([...folders].toSorted(), [...table.keys()].toSorted());
  });

  test('a part imports only what the table allows it', () => {
    const wrong = allImports
      .filter(({ from, to }) => partOf(from) !== partOf(to) && !table.get(partOf(from))?.has(partOf(to)))
      .map(({ from, to }) => `${from} imports ${to}`);
    assert.deepEqual(wrong, []);
  });

  test('the parts form no cycle', () => {
    const visiting = new Set<string>();
    const done = new Set<string>();
    const visit = (part: string, path: readonly string[]): void => {
      assert.ok(!visiting.has(part), `cycle: ${[...path, part].join(' → ')}`);
      if (done.has(part)) return;
      visiting.add(part);
      for (const next of table.get(part) ?? []) visit(next, [...path, part]);
      visiting.delete(part);
      done.add(part);
    };
    for (const part of table.keys()) visit(part, []);
  });

  test('no two files import each other, types aside', () => {
    const graph = Map.groupBy(
      allImports.filter((each) => !each.typeOnly),
      (each) => each.from,
    );
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
        return;
      }
      state.set(file, 'open');
      for (const next of graph.get(file) ?? []) visit(next.to, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of sources) visit(file, []);
    assert.deepEqual(cycles, []);
  });
});
