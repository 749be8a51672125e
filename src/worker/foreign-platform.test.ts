import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foreignPlatformHint } from './foreign-platform.ts';

test('a step for another platform says so when it fails; one that this machine runs does not', () => {
  const host = { os: 'linux', architecture: 'amd64' };
  assert.equal(foreignPlatformHint(host, host), undefined);
  assert.equal(foreignPlatformHint({ os: 'linux', architecture: '386' }, host), undefined);
  assert.match(
    foreignPlatformHint({ os: 'linux', architecture: 's390x' }, host) ?? '',
    /the step is for linux\/s390x and this machine is linux\/amd64.*qemu-s390x/,
  );
});
