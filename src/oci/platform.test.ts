import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choosePlatform, formatPlatform, formatPlatformInFull, parsePlatform, rankPlatform } from './platform.ts';

const host = { os: 'linux', architecture: 'amd64' };

test('a platform is read and normalised as containerd does', () => {
  const cases: [string, string][] = [
    ['linux', 'linux/amd64'],
    ['amd64', 'linux/amd64'],
    ['arm64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm64/v9', 'linux/arm64/v9'],
    ['linux/x86_64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v2', 'linux/amd64/v2'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/7', 'linux/arm/v7'],
    ['armhf', 'linux/arm/v7'],
    ['armel', 'linux/arm/v6'],
    ['i386', 'linux/386'],
    ['macOS/arm64', 'darwin/arm64'],
    ['LINUX/AMD64', 'linux/amd64'],
    ['wasi/wasm', 'wasi/wasm'],
    ['linux/riscv64', 'linux/riscv64'],
    ['windows(10.0.17763)/amd64', 'windows/amd64'],
  ];
  for (const [text, want] of cases) assert.equal(formatPlatform(parsePlatform(text, host)), want, text);
  assert.equal(parsePlatform('windows(10.0.17763)/amd64')['os.version'], '10.0.17763');
});

test('what is no platform is refused with its text', () => {
  for (const text of ['', '/', 'linux/', 'nonsense', 'a/b/c/d', 'linux/amd64/', 'linux/&/x', 'all']) {
    assert.throws(() => parsePlatform(text, host), { code: 'invalid-argument' }, text);
  }
});

test('a machine runs its own platform best, then older ones', () => {
  const rank = (want: string, candidate: string) =>
    rankPlatform(parsePlatform(want, host), parsePlatform(candidate, host));
  assert.equal(rank('linux/amd64', 'linux/amd64'), 0);
  assert.equal(rank('linux/amd64', 'linux/amd64/v2'), undefined);
  assert.equal(rank('linux/amd64/v3', 'linux/amd64/v2'), 1);
  assert.equal(rank('linux/amd64', 'linux/386'), 1);
  assert.equal(rank('linux/arm64', 'linux/arm/v7'), 2);
  assert.equal(rank('linux/arm/v6', 'linux/arm/v7'), undefined);
  assert.equal(rank('linux/arm/v7', 'linux/arm/v5'), 2);
  assert.equal(rank('linux/amd64', 'windows/amd64'), undefined);
});

test('the best candidate is chosen, the first of equals', () => {
  const names = ['linux/386', 'linux/amd64', 'linux/arm64/v8', 'linux/amd64'];
  const candidates = names.map((name, index) => ({ index, platform: parsePlatform(name, host) }));
  const choose = (want: string) =>
    choosePlatform(parsePlatform(want, host), candidates, (each) => each.platform)?.index;
  assert.equal(choose('linux/amd64'), 1);
  assert.equal(choose('linux/arm64'), 2);
  assert.equal(choose('linux/s390x'), undefined);
});

test('the version of the system decides between equals, and is in the full name', () => {
  const candidates = ['windows(1.1)/amd64', 'windows(1.2)/amd64'].map((name) => parsePlatform(name, host));
  const choose = (want: string) => choosePlatform(parsePlatform(want, host), candidates, (each) => each);
  assert.equal(choose('windows(1.2)/amd64')?.['os.version'], '1.2');
  assert.equal(choose('windows(7)/amd64')?.['os.version'], '1.1');
  assert.deepEqual(candidates.map(formatPlatformInFull), ['windows(1.1)/amd64', 'windows(1.2)/amd64']);
  assert.equal(formatPlatformInFull(parsePlatform('linux/arm64', host)), 'linux/arm64');
});
