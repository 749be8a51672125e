import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseDockerfile } from '../parse-dockerfile.ts';
import { fixDockerfile } from './fix-dockerfile.ts';
import { lintDockerfile } from './lint-dockerfile.ts';

function fix(text: string) {
  const warnings = lintDockerfile(parseDockerfile(text)).map(({ rule, range, message }) => ({
    rule,
    line: range.startLine,
    message,
  }));
  return { ...fixDockerfile(text, warnings), warnings };
}

suite('mending a Dockerfile', () => {
  const table: readonly (readonly [string, string, string])[] = [
    ['StageNameCasing', 'FROM scratch AS Build\n', 'FROM scratch AS build\n'],
    ['FromAsCasing', 'FROM scratch as a\n', 'FROM scratch AS a\n'],
    ['FromAsCasing', 'from scratch AS a\n', 'from scratch as a\n'],
    ['ConsistentInstructionCasing', 'FROM scratch\nLABEL a=b\nlabel c=d\n', 'FROM scratch\nLABEL a=b\nLABEL c=d\n'],
    ['ConsistentInstructionCasing', 'from scratch\nlabel a=b\nLABEL c=d\n', 'from scratch\nlabel a=b\nlabel c=d\n'],
    [
      'MaintainerDeprecated',
      'FROM scratch\nMAINTAINER Me <me@x.y>\n',
      'FROM scratch\nLABEL org.opencontainers.image.authors="Me <me@x.y>"\n',
    ],
    ['LegacyKeyValueFormat', 'FROM scratch\nENV a b c\n', 'FROM scratch\nENV a="b c"\n'],
    ['LegacyKeyValueFormat', 'FROM scratch\nLABEL a b\n', 'FROM scratch\nLABEL a=b\n'],
    ['JSONArgsRecommended', 'FROM scratch\nCMD npm  start\n', 'FROM scratch\nCMD ["npm", "start"]\n'],
    ['ExposeProtoCasing', 'FROM scratch\nEXPOSE 80/TCP 53/Udp\n', 'FROM scratch\nEXPOSE 80/tcp 53/udp\n'],
    ['RedundantTargetPlatform', 'FROM --platform=$TARGETPLATFORM scratch\n', 'FROM scratch\n'],
    [
      'NoEmptyContinuation',
      'FROM scratch\nLABEL a=b \\\n\n  # kept\n\n  c=d\nUSER x\n',
      'FROM scratch\nLABEL a=b \\\n  # kept\n  c=d\nUSER x\n',
    ],
    [
      'several in one',
      'FROM scratch\nLABEL a=b\nexpose 80/TCP \\\n\n 90\n',
      'FROM scratch\nLABEL a=b\nEXPOSE 80/tcp \\\n 90\n',
    ],
    [
      'line ends',
      'FROM scratch AS A\r\nMAINTAINER me\r\n',
      'FROM scratch AS a\r\nLABEL org.opencontainers.image.authors=me\r\n',
    ],
    ['no line end', 'FROM scratch AS A', 'FROM scratch AS a'],
  ];
  for (const [name, before, after] of table)
    test(`${name}: ${JSON.stringify(before)}`, () => {
      const { text, fixed, warnings } = fix(before);
      assert.equal(text, after);
      assert.ok(fixed >= 1 && fixed === warnings.length);
      assert.deepEqual(fix(after).warnings, []);
    });

  const left: readonly (readonly [string, string])[] = [
    ['a command that needs its shell', 'FROM scratch\nCMD a && b\nENTRYPOINT cd /x\n'],
    ['variables in a command', 'FROM scratch\nCMD echo $HOME\n'],
    ['an assignment before a command', 'FROM scratch\nCMD A=b c\n'],
    ['several lines', 'FROM scratch\nCMD a \\\n  b\n'],
    ['quotes in an old value', 'FROM scratch\nENV a "b" c\n'],
    ['a relative path', 'FROM scratch\nWORKDIR a\n'],
    ['a secret', 'FROM scratch\nENV PASSWORD=x\n'],
    ['heredocs', 'FROM scratch\nCOPY <<E /a\nMAINTAINER me\n\nE\n'],
  ];
  for (const [name, text] of left)
    test(`only a person can tell: ${name}`, () => {
      assert.deepEqual([fix(text).text, fix(text).fixed], [text, 0]);
    });

  test('says which lines have changed', () => {
    const { changes } = fix('FROM scratch\n# note\nMAINTAINER me\nEXPOSE 80\n');
    assert.deepEqual(changes, [
      { line: 3, before: ['MAINTAINER me'], after: ['LABEL org.opencontainers.image.authors=me'] },
    ]);
  });
});
