import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fixFile } from './fix-file.ts';

test('a file that changed since it was checked is left alone', () => {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-fix-'));
  try {
    const file = join(directory, 'Dockerfile');
    writeFileSync(file, 'FROM scratch AS A\n# edited meanwhile\n');
    const results = {
      warnings: [
        { ruleName: 'StageNameCasing', detail: '', location: { ranges: [{ start: { line: 1 }, end: { line: 1 } }] } },
      ],
      sources: [{ filename: 'Dockerfile', data: Buffer.from('FROM scratch AS A\n').toString('base64'), language: '' }],
    };
    assert.throws(() => fixFile(JSON.stringify(results), directory, 'Dockerfile'), /it changed while it was checked/);
    assert.equal(readFileSync(file, 'utf8'), 'FROM scratch AS A\n# edited meanwhile\n');
    assert.throws(() => fixFile(JSON.stringify(results), undefined), /not a file here/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
