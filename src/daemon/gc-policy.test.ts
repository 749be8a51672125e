import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { defaultPolicies, keptBytes } from './gc-policy.ts';

const disk = { total: 1000e9, free: 500e9 };
const policy = { all: false, filters: [], keepFor: 0 };

suite('policies of collection', () => {
  test('a policy without limits keeps nothing of what it may remove', () => {
    assert.equal(keptBytes(policy, 7e9, disk), 0);
  });

  test('the smallest limit counts, but never below what is reserved', () => {
    const limits = { ...policy, maxUsed: { bytes: 50e9 }, reserved: { bytes: 10e9 } };
    assert.equal(keptBytes(limits, 70e9, disk), 50e9);
    assert.equal(keptBytes({ ...limits, minFree: { percent: 60 } }, 70e9, disk), 10e9);
  });

  test('enough free disk asks for nothing', () => {
    assert.equal(keptBytes({ ...policy, minFree: { percent: 20 } }, 70e9, disk), 70e9);
  });

  test('the default grows with the disk up to a limit', () => {
    const last = (total: number) => defaultPolicies(undefined, { total, free: total }).at(-1);
    assert.deepEqual(last(1000e9)?.maxUsed, { bytes: 100e9 });
    assert.deepEqual(last(50e9)?.maxUsed, { bytes: 40e9 });
    assert.deepEqual(last(50e9)?.reserved, { bytes: 5e9 });
    assert.equal(last(50e9)?.all, true);
  });
});
