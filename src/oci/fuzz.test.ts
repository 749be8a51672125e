import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../base/digest.ts';
import { SlipwayError } from '../base/errors.ts';
import { parseManifest } from './manifest.ts';
import { mediaTypes } from './media-types.ts';
import { parseImageConfig } from './parse-image-config.ts';
import { parsePlatform } from './platform.ts';
import { formatReference, parseReference } from './reference.ts';

/** The same pseudo-random numbers every time (xorshift32). */
function createRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** One to four bytes changed, dropped or doubled. */
function mutate(bytes: Buffer, random: (limit: number) => number): Buffer {
  let mutated = Buffer.from(bytes);
  for (let times = 1 + random(4); times > 0; times--) {
    const at = random(mutated.length || 1);
    const kind = random(3);
    if (kind === 0) mutated[at] = random(256);
    else if (kind === 1) mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(at + 1 + random(20))]);
    else mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(Math.max(0, at - 20))]);
  }
  return mutated;
}

function fuzz(seeds: readonly string[], parse: (bytes: Buffer) => unknown): number {
  const random = createRandom(20_261_123);
  let accepted = 0;
  for (let round = 0; round < 3_000; round++) {
    const input = mutate(Buffer.from(seeds[round % seeds.length] ?? ''), random);
    try {
      parse(input);
      accepted++;
    } catch (error) {
      assert.ok(error instanceof SlipwayError, `${JSON.stringify(input.toString('latin1'))}: ${error}`);
    }
  }
  return accepted;
}

const descriptor = {
  mediaType: mediaTypes.ociLayer,
  digest: digestOf('x'),
  size: 1,
  platform: { os: 'linux', architecture: 'arm' },
};

test('mutated manifests are read or refused, never a crash', () => {
  const config = { ...descriptor, mediaType: mediaTypes.ociConfig };
  const seeds = [
    { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [descriptor], annotations: { a: 'b' } },
    { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [descriptor], subject: descriptor },
  ].map((each) => JSON.stringify(each));
  assert.ok(fuzz(seeds, (bytes) => parseManifest(bytes)) > 0);
});

test('mutated configs are read or refused, never a crash', () => {
  const seed = {
    os: 'linux',
    architecture: 'amd64',
    config: {
      Env: ['A=b'],
      Cmd: null,
      Labels: { a: 'b' },
      Volumes: { '/v': {} },
      Healthcheck: { Test: ['NONE'], Retries: 1 },
    },
    rootfs: { type: 'layers', diff_ids: [digestOf('x')] },
    history: [{ created_by: 'x', empty_layer: true }, null],
  };
  assert.ok(fuzz([JSON.stringify(seed)], parseImageConfig) > 0);
});

test('mutated references are refused or survive a second reading', () => {
  const seeds = ['docker.io/library/node:20-alpine', `localhost:5000/a_b/c--d:x@${digestOf('x')}`, '[::1]:80/x', 'a/b'];
  const accepted = fuzz(seeds, (bytes) => {
    const reference = parseReference(bytes.toString('latin1'));
    assert.deepEqual(parseReference(formatReference(reference)), reference);
  });
  assert.ok(accepted > 0);
});

test('mutated platforms are read or refused', () => {
  assert.ok(
    fuzz(['linux/arm64/v8', 'windows(10.0.1)/amd64', 'arm'], (bytes) => parsePlatform(bytes.toString('latin1'))) > 0,
  );
});
