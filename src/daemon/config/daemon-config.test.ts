import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseDaemonConfig } from './daemon-config.ts';

const example = `
debug = true
root = "/var/lib/builder"
insecure-entitlements = [ "network.host", "security.insecure" ]

[log]
  format = "text"

[grpc]
  address = [ "tcp://0.0.0.0:1234", "unix:///run/builder.sock" ]

[worker.oci]
  enabled = true
  max-parallelism = 4
  gc = true
  reservedSpace = "30%"
  maxUsedSpace = "60%"
  minFreeSpace = "20GB"
  [worker.oci.labels]
    "foo" = "bar"
  [[worker.oci.gcpolicy]]
    reservedSpace = "512MB"
    keepDuration = "48h"
    filters = [ "type==source.local", "type==exec.cachemount" ]
  [[worker.oci.gcpolicy]]
    all = true
    keepBytes = 1024000000
    keepDuration = 600

[registry."docker.io"]
  mirrors = ["mirror.example:5000", "core.example/proxy.docker.io"]
  http = true
[registry."private.example"]
  insecure = true
`;

suite('buildkitd.toml', () => {
  test('everything that has an effect', () => {
    const config = parseDaemonConfig(example);
    assert.equal(config.root, '/var/lib/builder');
    assert.equal(config.logLevel, 'debug');
    assert.deepEqual(config.entitlements, ['network.host', 'security.insecure']);
    assert.deepEqual(config.addresses, ['tcp://0.0.0.0:1234', 'unix:///run/builder.sock']);
    assert.equal(config.parallelism, 4);
    assert.deepEqual(config.labels, { foo: 'bar' });
    assert.equal(config.gc, true);
    assert.deepEqual(config.gcSpace, {
      reserved: { percent: 30 },
      maxUsed: { percent: 60 },
      minFree: { bytes: 20 * 2 ** 30 },
    });
    assert.deepEqual(config.registries['docker.io']?.mirrors, ['mirror.example:5000', 'core.example/proxy.docker.io']);
    assert.equal(config.registries['docker.io']?.http, true);
    assert.equal(config.registries['private.example']?.insecure, true);
    assert.deepEqual(config.warnings, []);
  });

  test('policies, under present and former names', () => {
    const [easy, all] = parseDaemonConfig(example).gcPolicies ?? [];
    assert.deepEqual(easy?.filters, ['type==source.local', 'type==exec.cachemount']);
    assert.equal(easy?.keepFor, 48 * 3_600_000);
    assert.deepEqual(easy?.reserved, { bytes: 512 * 2 ** 20 });
    assert.equal(all?.all, true);
    assert.equal(all?.keepFor, 600_000);
    assert.deepEqual(all?.reserved, { bytes: 1_024_000_000 });
  });

  test('which frontends may be used', () => {
    const text =
      '[frontend."gateway.v0"]\nenabled = false\nallowedRepositories = ["a/b"]\n[frontend."dockerfile.v0"]\nenabled = true\n';
    const { frontends, warnings } = parseDaemonConfig(text);
    assert.deepEqual(frontends, { dockerfile: true, gateway: false, repositories: ['a/b'] });
    assert.deepEqual(warnings, []);
  });

  test('an empty file says nothing', () => {
    const config = parseDaemonConfig('');
    assert.equal(config.root, undefined);
    assert.equal(config.entitlements, undefined);
    assert.deepEqual(config.registries, {});
  });

  test('keys without effect are named', () => {
    const { warnings } = parseDaemonConfig('rooot = "/x"\n[grpc]\nuid = 3\n[worker.oci]\nnetworkMode = "cni"\n');
    assert.deepEqual(warnings, [
      "the configuration's rooot has no effect here",
      "the configuration's grpc.uid has no effect here",
      "the configuration's worker.oci.networkMode has no effect here",
    ]);
  });

  const broken: readonly (readonly [name: string, text: string, error: RegExp])[] = [
    ['a wrong type', 'root = 3', /"root": want a string/],
    ['a wrong type inside', '[worker.oci]\ngc = "yes"', /"worker\.oci\.gc": want true or false/],
    ['a list of something else', '[grpc]\naddress = [1]', /"grpc\.address": want a list of strings/],
    ['broken TOML', 'root = "x"\nroot = \n', /line 2, column \d+/],
    ['an unknown entitlement', 'insecure-entitlements = ["all"]', /unknown entitlement "all"/],
    ['the only worker turned off', '[worker.oci]\nenabled = false', /there is no other worker/],
    ['more than the whole disk', '[worker.oci]\nmaxUsedSpace = "140%"', /140%/],
    ['a table in the place of a value', '[root]\na = 1', /"root": want a string/],
    ['names of objects’ own parts', '[registry]\n"__proto__" = 1', /registry\.__proto__/],
  ];
  for (const [name, text, error] of broken) test(name, () => assert.throws(() => parseDaemonConfig(text), error));
});
