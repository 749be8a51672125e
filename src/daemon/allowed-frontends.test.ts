import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkBuiltinFrontend, checkFrontendImage } from './allowed-frontends.ts';

const refused = { code: 'permission-denied' };

suite('frontends that a daemon allows', () => {
  test('all of them, unless it says so', () => {
    checkBuiltinFrontend({});
    checkFrontendImage({}, 'some/frontend');
    assert.throws(() => checkBuiltinFrontend({ dockerfile: false }), refused);
    assert.throws(() => checkFrontendImage({ gateway: false }, 'some/frontend'), refused);
  });

  test('where repositories are named, an image of one of them, whatever its tag', () => {
    const allowed = { repositories: ['docker.io/some/frontend', 'registry.example/x:1'] };
    checkFrontendImage(allowed, 'some/frontend:2');
    checkFrontendImage(allowed, `registry.example/x@sha256:${'0'.repeat(64)}`);
    for (const other of ['some/frontend2', 'some/frontend/more', 'registry.example:5000/x', 'evil/frontend'])
      assert.throws(() => checkFrontendImage(allowed, other), refused);
  });
});
