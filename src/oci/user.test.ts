import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { resolveUser } from './user.ts';

const passwd =
  'root:x:0:0:root:/root:/bin/sh\nbuild:x:1000:1001::/home/build:/bin/sh\n# comment\nbroken\nodd:x:a:b::/:\n';
const group = 'root:x:0:\nbuilders:x:1001:\ndocker:x:999:build,other\nwheel:x:10:build\n';

suite('resolveUser', () => {
  const cases: [string, number, number, number[]][] = [
    ['', 0, 0, []],
    ['root', 0, 0, []],
    ['build', 1000, 1001, [999, 10]],
    ['1000', 1000, 1001, [999, 10]],
    ['build:docker', 1000, 999, []],
    ['build:7', 1000, 7, []],
    ['4711', 4711, 0, []],
    ['4711:builders', 4711, 1001, []],
    [':docker', 0, 999, []],
  ];
  for (const [value, uid, gid, additionalGids] of cases) {
    test(`"${value}"`, () => {
      const got = resolveUser(value, passwd, group);
      assert.deepEqual([got.uid, got.gid, got.additionalGids], [uid, gid, additionalGids]);
    });
  }

  for (const value of ['nobody', 'build:nogroup', '4294967295', '-1', '99999999999']) {
    test(`refuses "${value}"`, () => {
      assert.throws(() => resolveUser(value, passwd, group), /cannot use/);
    });
  }

  test('numbers need no files', () => {
    assert.equal(resolveUser('12:34', '', '').gid, 34);
  });
});
