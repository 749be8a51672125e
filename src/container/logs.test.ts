import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { JsonLog, type LogLimits, logLimits, timestamp } from './json-log.ts';
import { type LogQuery, readLogs } from './read-logs.ts';

suite('logs', () => {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-logs-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  let count = 0;
  const newLog = (limits?: LogLimits) => new JsonLog(join(directory, `${count++}`, 'log'), limits);
  const read = async (path: string, query: LogQuery = {}) =>
    (await Array.fromAsync(readLogs(path, query))).flat().map(({ text }) => text);
  const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `${from + i}\n`);

  test('lines keep their stream, order and bytes', async () => {
    const log = newLog();
    log.write(1, Buffer.from('one\ntw'));
    log.write(2, Buffer.from('error <&>\n'));
    log.write(1, Buffer.from('o ✓\nno end'));
    log.end();
    assert.deepEqual(await read(log.path), ['one\n', 'error <&>\n', 'two ✓\n', 'no end']);
    const lines = (await Array.fromAsync(readLogs(log.path, {}))).flat();
    assert.deepEqual(
      lines.map(({ stream }) => stream),
      [1, 2, 1, 1],
    );
    assert.match(lines[0]?.time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  });

  test('a character cut between two reads arrives whole', async () => {
    const log = newLog();
    const text = Buffer.from('✓'.repeat(10_000));
    for (let at = 0; at < text.length; at += 1000) log.write(1, text.subarray(at, at + 1000));
    log.end();
    const pieces = await read(log.path);
    assert.ok(pieces.length > 1 && pieces.every((piece) => Buffer.byteLength(piece) <= 16 * 1024));
    assert.equal(pieces.join(''), '✓'.repeat(10_000));
  });

  test('tail counts lines from the end, also over files put aside', async () => {
    const log = newLog({ maxSize: 4000, maxFiles: 5 });
    for (const line of numbers(0, 150)) log.write(1, Buffer.from(line));
    log.end();
    assert.ok(existsSync(`${log.path}.1`));
    for (const tail of [0, 1, 10, 100, 149, 150, 1000])
      assert.deepEqual(await read(log.path, { tail }), numbers(Math.max(0, 150 - tail), 150), `${tail}`);
    assert.deepEqual(await read(log.path), numbers(0, 150));
  });

  test('only as many files are kept as was said', async () => {
    const log = newLog({ maxSize: 1000, maxFiles: 2 });
    for (const line of numbers(0, 500)) log.write(1, Buffer.from(line));
    log.end();
    assert.ok(existsSync(`${log.path}.1`) && !existsSync(`${log.path}.2`));
    assert.ok(readFileSync(log.path).length <= 1000);
    assert.equal((await read(log.path)).at(-1), '499\n');
  });

  test('since is included, until is not', async () => {
    const log = newLog();
    log.write(1, Buffer.from('first\n'));
    log.end();
    for (const [time, text] of [
      ['2020-01-01T00:00:01.000000000Z', 'a\n'],
      ['2020-01-01T00:00:02.000000000Z', 'b\n'],
      ['2020-01-01T00:00:03.000000000Z', 'c\n'],
    ])
      appendFileSync(`${log.path}.old`, `${JSON.stringify({ log: text, stream: 'stdout', time })}\n`);
    const path = `${log.path}.old`;
    assert.deepEqual(await read(path, { since: '2020-01-01T00:00:02.000000000Z' }), ['b\n', 'c\n']);
    assert.deepEqual(await read(path, { until: '2020-01-01T00:00:02.000000000Z' }), ['a\n']);
    assert.deepEqual(await read(path, { tail: 2, since: '2020-01-01T00:00:03.000000000Z' }), ['c\n']);
  });

  test('following loses nothing, whatever is put aside meanwhile', async () => {
    const log = newLog({ maxSize: 20_000, maxFiles: 1000 });
    for (const line of numbers(0, 100)) log.write(1, Buffer.from(line));
    const reading = read(log.path, { follow: log, tail: 50 });
    for (let from = 100; from < 3000; from += 100) {
      for (const line of numbers(from, from + 100)) log.write(1, Buffer.from(line));
      await new Promise((resolve) => setImmediate(resolve));
    }
    log.end();
    assert.deepEqual(await reading, numbers(50, 3000));
  });

  test('following ends when its reader goes', async () => {
    const log = newLog();
    log.write(1, Buffer.from('x\n'));
    const aborter = new AbortController();
    const reading = read(log.path, { follow: log, signal: aborter.signal });
    setImmediate(() => aborter.abort(new Error('gone')));
    await assert.rejects(reading, /gone/);
    log.end();
  });

  test('what a crash left unfinished is left out', async () => {
    const log = newLog();
    log.write(1, Buffer.from('whole\n'));
    log.end();
    appendFileSync(log.path, '{"log":"torn');
    assert.deepEqual(await read(log.path), ['whole\n']);
  });

  test('a container that has not written has no lines', async () => {
    assert.deepEqual(await read(join(directory, 'nothing')), []);
  });

  test('limits are read as docker writes them', () => {
    assert.deepEqual(logLimits({}), { maxFiles: 1 });
    assert.deepEqual(logLimits({ 'max-size': '10m', 'max-file': '3' }), { maxSize: 10 << 20, maxFiles: 3 });
    assert.throws(() => logLimits({ 'max-size': 'ten' }), /max-size: "ten"/);
    assert.throws(() => logLimits({ 'max-file': '3' }), /max-size is not set/);
    assert.throws(() => logLimits({ 'max-size': '1k', 'max-file': '0' }), /max-file/);
  });

  test('times have nine digits', () => {
    assert.equal(timestamp(1_700_000_000_123.5), '2023-11-14T22:13:20.123500000Z');
  });
});
