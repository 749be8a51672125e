import assert from 'node:assert/strict';
import { test } from 'node:test';
import { familiarReference, formatReference, manifestKey, parseReference, withDefaultTag } from './reference.ts';

const hex = 'a'.repeat(64);

test('names are read as people write them', () => {
  const cases: [text: string, full: string, familiar: string][] = [
    ['node', 'docker.io/library/node', 'node'],
    ['node:20-alpine', 'docker.io/library/node:20-alpine', 'node:20-alpine'],
    ['library/node', 'docker.io/library/node', 'node'],
    ['docker.io/node', 'docker.io/library/node', 'node'],
    ['index.docker.io/library/node:1', 'docker.io/library/node:1', 'node:1'],
    ['bitnami/redis', 'docker.io/bitnami/redis', 'bitnami/redis'],
    ['library/a/b', 'docker.io/library/a/b', 'a/b'],
    ['ghcr.io/o/r:v1', 'ghcr.io/o/r:v1', 'ghcr.io/o/r:v1'],
    ['localhost/x', 'localhost/x', 'localhost/x'],
    ['localhost:5000/x:y', 'localhost:5000/x:y', 'localhost:5000/x:y'],
    ['127.0.0.1:5000/a/b/c', '127.0.0.1:5000/a/b/c', '127.0.0.1:5000/a/b/c'],
    ['[::1]:5000/x', '[::1]:5000/x', '[::1]:5000/x'],
    ['Registry/x', 'Registry/x', 'Registry/x'],
    ['a__b/c--d/e.f', 'docker.io/a__b/c--d/e.f', 'a__b/c--d/e.f'],
    [`node@sha256:${hex}`, `docker.io/library/node@sha256:${hex}`, `node@sha256:${hex}`],
    [`node:20@sha256:${hex}`, `docker.io/library/node:20@sha256:${hex}`, `node:20@sha256:${hex}`],
  ];
  for (const [text, full, familiar] of cases) {
    assert.equal(formatReference(parseReference(text)), full, text);
    assert.equal(familiarReference(parseReference(text)), familiar, text);
  }
});

test('what is no name is refused', () => {
  const bad = ['', ':tag', 'a b', 'a//b', '/a', 'a/', '-a', 'a-', 'a..b', 'a___b', 'a:', 'a:-x', `a:${'x'.repeat(129)}`]
    .concat(['a@sha256:short', `a@sha256:${'A'.repeat(64)}`, `a@md5:${hex}`, 'a@', hex, 'Node', 'http://x/y', 'x:y:z'])
    .concat([`a/${'b'.repeat(255)}`, '../etc', 'a/../b', 'a\nb', 'a\0b', 'x.io:port/a', 'ä', 'a'.repeat(1e6)]);
  for (const text of bad) assert.throws(() => parseReference(text), { code: 'invalid-argument' }, text.slice(0, 80));
});

test('an upper-case name is told the way out', () => {
  assert.throws(() => parseReference('MyApp:1'), /must be lowercase/);
});

test('a long run of separators is refused in linear time', () => {
  assert.throws(() => parseReference(`a${'-'.repeat(250)}!`), { code: 'invalid-argument' });
});

test('the default tag comes only where nothing is said', () => {
  assert.equal(withDefaultTag(parseReference('node')).tag, 'latest');
  assert.equal(withDefaultTag(parseReference(`node@sha256:${hex}`)).tag, undefined);
  assert.equal(manifestKey(parseReference(`node:20@sha256:${hex}`)), `sha256:${hex}`);
});
