import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../base/digest.ts';
import { chainIdOf, chainIdsOf } from './chain-id.ts';
import { diffIdsOf, parseImageConfig } from './parse-image-config.ts';

const parse = (value: unknown) => parseImageConfig(Buffer.from(JSON.stringify(value)));

test('E10: null and missing parts read as absent (CVE-2021-21285, CVE-2024-36620)', () => {
  const config = parse({
    os: 'linux',
    architecture: 'amd64',
    rootfs: null,
    history: [null],
    config: { Env: null, Cmd: null },
  });
  assert.deepEqual(config.rootfs, { type: 'layers', diff_ids: [] });
  assert.deepEqual(config.history, [{}]);
  assert.deepEqual(config.config, {});
  assert.deepEqual(parse({}).rootfs.diff_ids, []);
  assert.equal(parse({ history: null }).history, undefined);
});

test('wrong types are refused', () => {
  const bad = [{ history: 1 }, { history: [1] }, { config: [] }, { config: { Env: 'x' } }, { config: { Env: [1] } }]
    .concat([{ config: { Labels: { a: 1 } } }, { rootfs: { diff_ids: ['sha256:../../x'] } }, { os: 3 }] as never[])
    .concat([{ config: { Volumes: 'x' } }, { config: { Healthcheck: { Interval: '1' } } }] as never[]);
  for (const value of bad) assert.throws(() => parse(value), { code: 'invalid-argument' }, JSON.stringify(value));
});

test('unknown fields and odd label names are kept as data', () => {
  const text =
    '{"os":"linux","moby.buildkit.x":{"a":1},"config":{"Labels":{"__proto__":"1","toString":"2"},"OnBuild":["RUN x"]}}';
  const config = parseImageConfig(Buffer.from(text));
  assert.deepEqual(config['moby.buildkit.x'], { a: 1 });
  assert.deepEqual(Object.entries(config.config?.Labels ?? {}), [
    ['__proto__', '1'],
    ['toString', '2'],
  ]);
  assert.deepEqual(config.config?.OnBuild, ['RUN x']);
});

test('the chainID follows the specification', () => {
  const [a, b, c] = [digestOf('a'), digestOf('b'), digestOf('c')];
  assert.equal(chainIdOf([]), undefined);
  assert.equal(chainIdOf([a]), a);
  assert.equal(chainIdOf([a, b, c]), digestOf(`${digestOf(`${a} ${b}`)} ${c}`));
  assert.deepEqual(chainIdsOf([a, b]), [a, digestOf(`${a} ${b}`)]);
  assert.deepEqual(diffIdsOf(parse({ rootfs: { type: 'layers', diff_ids: [a, b] } })), [a, b]);
});
