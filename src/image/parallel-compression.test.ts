import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib';
import { parallelGzip, parallelZstd } from './parallel-compression.ts';

async function compress(method: typeof parallelGzip, bytes: Buffer, step: number, level?: number): Promise<Buffer> {
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
  };
  return Buffer.concat(await Array.fromAsync(method(chunks(), level)));
}

const text = Buffer.from(Array.from({ length: 400_000 }, (_, n) => `line ${n % 9973}\n`).join(''));
const samples = [Buffer.alloc(0), Buffer.from('x'), text, Buffer.alloc(1 << 20), Buffer.alloc((4 << 20) + 1, 'ab')];

test('gzip is one member that any reader undoes, whatever the pieces it came in', async () => {
  for (const sample of samples) {
    const packed = await compress(parallelGzip, sample, 70_001);
    assert.ok(gunzipSync(packed).equals(sample));
    assert.ok((await compress(parallelGzip, sample, 3_000_000)).equals(packed));
    // GNU gzip checks the trailer and complains of anything after it.
    assert.ok(execFileSync('gzip', ['-dc'], { input: packed, maxBuffer: 64 << 20 }).equals(sample));
  }
});

test('blocks know the window before them: hardly larger than gzip at one piece', async () => {
  const packed = await compress(parallelGzip, text, 1 << 20);
  assert.ok(packed.length < gzipSync(text).length * 1.02);
  assert.ok((await compress(parallelGzip, text, 1 << 20, 0)).length > packed.length);
});

test('zstd frames read as one stream', async () => {
  for (const sample of samples)
    assert.ok(zstdDecompressSync(await compress(parallelZstd, sample, 70_001)).equals(sample));
});

test('a failing source fails the compression', async () => {
  const source = async function* () {
    yield Buffer.alloc(3 << 20);
    throw new Error('source broke');
  };
  await assert.rejects(Array.fromAsync(parallelGzip(source())), /source broke/);
});
