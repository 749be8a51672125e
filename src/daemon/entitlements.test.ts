import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { execOp, NetMode, SecurityMode } from '../graph/ops.ts';
import { EntitlementCheck, grantEntitlements } from './entitlements.ts';

const meta = { args: ['true'], cwd: '/' };
const mounts = [{ dest: '/', isOutput: true }];

suite('entitlements', () => {
  test('CVE-2024-23653: a privileged step needs an entitlement, wherever in the graph it stands', () => {
    const insecure = execOp({ meta, mounts, security: SecurityMode.INSECURE });
    const above = execOp({ meta, mounts: [{ dest: '/', isOutput: true, from: insecure }] });
    assert.throws(() => new EntitlementCheck(new Set()).check(above), /security\.insecure is not allowed/);
    new EntitlementCheck(new Set(['security.insecure'])).check(above);
  });

  test('the network of the host needs one as well', () => {
    const host = execOp({ meta, mounts, network: NetMode.HOST });
    assert.throws(
      () => new EntitlementCheck(new Set(['security.insecure'])).check(host),
      /network\.host is not allowed/,
    );
    new EntitlementCheck(new Set()).check(execOp({ meta, mounts, network: NetMode.NONE }));
  });

  test('a client is granted what the daemon allows', () => {
    assert.deepEqual([...grantEntitlements(['network.host'], new Set(['network.host']))], ['network.host']);
    assert.throws(
      () => grantEntitlements(['security.insecure'], new Set(['network.host'])),
      /not allowed by build daemon/,
    );
    assert.throws(() => grantEntitlements(['everything'], new Set()), /unknown entitlement "everything"/);
  });
});
