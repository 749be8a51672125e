import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amountOf, showTransfer } from './show-transfer.ts';

test('amounts as docker shows them: a bar where there is room, nothing where nothing is counted', () => {
  assert.equal(amountOf({}, 80), '');
  assert.equal(amountOf(undefined, 80), '');
  assert.equal(amountOf({ current: 0, total: 5 }, 80), '');
  assert.equal(amountOf({ current: 1500 }, 80), '    1.5kB');
  assert.equal(amountOf({ current: 12_300_000, total: 41_860_000 }, 80), '   12.3MB/41.86MB');
  assert.equal(amountOf({ current: 9, total: 5 }, 80), '       5B/5B');
  assert.equal(amountOf({ current: 50, total: 100 }, 120), ` [${'='.repeat(25)}>${' '.repeat(24)}]      50B/100B`);
  assert.equal(amountOf({ current: 100, total: 100 }, 120), ` [${'='.repeat(50)}]     100B/100B`);
});

async function* lines(): AsyncGenerator<Record<string, unknown>> {
  yield { status: 'Pulling from x', id: 'latest' };
  yield { status: 'Downloading', id: 'a', progressDetail: { current: 1, total: 2 } };
  yield { status: 'Downloading', id: 'a', progressDetail: { current: 2, total: 2 } };
  yield { status: 'Pull complete', id: 'a\x1b[2J', progressDetail: {} };
}

test('without a terminal, a line for each change of state; on one, a row for each id', async () => {
  const shown = async (isTTY: boolean) => {
    let text = '';
    const output = { isTTY, columns: 80, write: (part: string) => (text += part) } as unknown as NodeJS.WriteStream;
    await showTransfer(lines(), { quiet: false, output });
    return text;
  };
  assert.equal(await shown(false), 'latest: Pulling from x\na: Downloading\na: Pull complete\n');
  assert.equal(
    await shown(true),
    'latest: Pulling from x\na: Downloading       1B/2B\n\x1b[1A\ra: Downloading       2B/2B\x1b[K\x1b[1B\ra: Pull complete\n',
  );
});
