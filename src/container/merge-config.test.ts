import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { mergeConfig } from './merge-config.ts';
import { randomName } from './random-name.ts';

suite('mergeConfig', () => {
  const image = { Entrypoint: ['entry'], Cmd: ['default'], Env: ['A=1', 'B=2'], WorkingDir: '/app', User: 'app' };
  const words = (own: object) => {
    const { Entrypoint, Cmd } = mergeConfig(own, image);
    return [...(Entrypoint ?? []), ...(Cmd ?? [])].join(' ');
  };

  test('a command replaces the image’s command and keeps its entrypoint', () => {
    assert.equal(words({}), 'entry default');
    assert.equal(words({ Cmd: ['own', 'x'] }), 'entry own x');
    assert.equal(words({ Cmd: null, Entrypoint: null }), 'entry default');
  });

  test('an entrypoint drops the image’s command too', () => {
    assert.equal(words({ Entrypoint: ['sh'] }), 'sh');
    assert.equal(words({ Entrypoint: ['sh'], Cmd: ['-c', 'x'] }), 'sh -c x');
  });

  test('an empty entrypoint takes the image’s away', () => {
    assert.equal(words({ Entrypoint: [''], Cmd: ['own'] }), 'own');
  });

  test('variables are merged by name, and a bare name removes one', () => {
    assert.deepEqual(mergeConfig({ Env: ['B=3', 'C=x=y', 'A'] }, image).Env, ['B=3', 'C=x=y']);
  });

  test('what is not given comes from the image', () => {
    const { WorkingDir, User } = mergeConfig({ WorkingDir: '/own' }, image);
    assert.deepEqual([WorkingDir, User], ['/own', 'app']);
  });
});

test('names of containers are two words, and one is not given twice', () => {
  const taken = new Set<string>();
  for (let i = 0; i < 200; i++) {
    const name = randomName((candidate) => taken.has(candidate));
    assert.match(name, /^[a-z]+_[a-z]+\d*$/);
    assert.ok(!taken.has(name));
    taken.add(name);
  }
  assert.match(
    randomName((candidate) => /^[a-z_]+$/.test(candidate)),
    /\d$/,
  );
});
