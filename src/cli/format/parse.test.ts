import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseBytes, parseDuration } from '../../base/parse-quantity.ts';
import { eventLine } from '../commands/events.ts';
import { timestampOf } from './timestamp.ts';

suite('sizes, durations and times as people type them', () => {
  test('sizes', () => {
    const cases: readonly (readonly [string, number])[] = [
      ['0', 0],
      ['100', 100],
      ['64m', 64 * 2 ** 20],
      ['64MB', 64 * 2 ** 20],
      ['1.5g', 1.5 * 2 ** 30],
      ['1GiB', 2 ** 30],
      ['10b', 10],
      ['2 k', 2048],
    ];
    for (const [text, bytes] of cases) assert.equal(parseBytes(text), bytes, text);
    for (const text of ['', 'm', '-1', '1x', '1e9', '0x10', 'constructor'])
      assert.throws(() => parseBytes(text), /as a size/, text);
  });

  test('durations', () => {
    assert.equal(parseDuration('1m30s'), 90e9);
    assert.equal(parseDuration('1.5h'), 5400e9);
    assert.equal(parseDuration('250ms'), 250e6);
    assert.equal(parseDuration('0'), 0);
    for (const text of ['', '5', 's', '5 s', '5x', '1m nope'])
      assert.throws(() => parseDuration(text), /as a duration/, text);
  });

  test('times', () => {
    const now = new Date('2026-01-02T00:01:00Z');
    assert.equal(timestampOf('2026-01-02T00:00:00Z', now), '1767312000.000000000');
    assert.equal(timestampOf('2026-01-02', now), '1767312000.000000000');
    assert.equal(timestampOf('1m', now), '1767312000.000000000');
    assert.equal(timestampOf('1767312000.5', now), '1767312000.5');
    assert.equal(timestampOf(undefined, now), undefined);
    assert.throws(() => timestampOf('yesterday-ish', now), /as a time/);
  });

  test('an event as a line', () => {
    const event = {
      Type: 'container',
      Action: 'start',
      Actor: { ID: 'abc', Attributes: { name: 'web\x1b[2J', image: 'a' } },
      time: 1767312000,
    };
    assert.equal(eventLine(event), '2026-01-02T00:00:00.000Z container start abc (image=a, name=web)');
  });
});
