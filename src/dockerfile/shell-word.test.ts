import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { isErrorCode } from '../base/errors.ts';
import { expandWord, expandWords, type WordOptions } from './shell-word.ts';

/** The variables that testdata/words.txt names in its head. */
const variables = new Map(
  Object.entries({
    A: 'alpha',
    PATHS: '/usr/local/bin:/usr/bin',
    FILE: 'lib/archive.tar.gz',
    EMPTY: '',
    STAR: 'a*b',
    SP: 'one  two',
    UML: 'grün',
    N1: 'x',
    NAME: 'A',
    DOTS: 'a.b.c',
    SLASH: '//a//b',
    Q: 'q?q',
  }),
);

function expandOrFail(word: string, options?: WordOptions): string {
  try {
    return expandWord(word, variables, options).result;
  } catch (error) {
    if (!isErrorCode(error, 'invalid-argument') || !(error instanceof Error)) throw error;
    return `!${error.message.replace(/^failed to process "(?:[^"\\]|\\.)*": /, '')}`;
  }
}

/** BuildKit's own reader of words gives the same for all of them. */
suite('words', () => {
  let group = '';
  let count = 0;
  for (const line of readFileSync(new URL('testdata/words.txt', import.meta.url), 'utf8').split('\n')) {
    if (line.startsWith('## ')) group = line.slice(3);
    const [word, want] = line.split('\t');
    if (word === undefined || want === undefined) continue;
    count++;
    const plain = (text: string) => text.replaceAll('␉', '\t');
    test(`${group}: ${word}`, () => assert.equal(expandOrFail(plain(word)), plain(want)));
  }
  test('are at least 250', () => assert.ok(count >= 250, `${count}`));
});

suite('splitting into words', () => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    ['', []],
    ['   ', []],
    ['a', ['a']],
    [' a  b\tc ', ['a', 'b', 'c']],
    ['$SP', ['one', 'two']],
    ['"$SP"', ['one  two']],
    ['x$SP', ['xone', 'two']],
    ['${SP}x', ['one', 'twox']],
    ['$EMPTY', []],
    ["''", []],
    ['a "" b', ['a', 'b']],
    ['a\\ b', ['a b']],
    ["'a b' c", ['a b', 'c']],
    ['a"b c"d', ['ab cd']],
    ['$U', []],
    ['${U:-x y}', ['x', 'y']],
    ['${U:-"x y"}', ['x', 'y']],
    ['8000-8010/tcp $A', ['8000-8010/tcp', 'alpha']],
    ['a\u00a0b', ['a', 'b']],
  ];
  for (const [word, want] of table)
    test(JSON.stringify(word), () => assert.deepEqual(expandWords(word, variables), want));
});

suite('ways to expand', () => {
  const table: readonly (readonly [string, WordOptions, string])[] = [
    ['a`$A', { escape: '`' }, 'a$A'],
    ['a\\$A', { escape: '`' }, 'a\\alpha'],
    ['"`""', { escape: '`' }, '"'],
    ['C:\\dir\\$A', { escape: '`' }, 'C:\\dir\\alpha'],
    ['${STAR/`*/x}', { escape: '`' }, 'axb'],
    ['${SLASH//`//-}', { escape: '`' }, '--a--b'],
    ['\'$A\' "$A"', { rawQuotes: true }, '\'$A\' "alpha"'],
    ["it's $A", { skipQuotes: true }, "it's alpha"],
    ['say "$A', { skipQuotes: true }, 'say "alpha'],
    ["'$A'", { skipQuotes: true }, "'alpha'"],
    ['\\$A \\\\ \\n', { skipQuotes: true }, '$A \\ n'],
    ['a\\$A\\b', { rawEscapes: true }, 'a\\$A\\b'],
    ['"a\\$A\\b"', { rawEscapes: true }, 'a\\$A\\b'],
    ['$U ${U} $A', { skipUnset: true }, '$U ${U} alpha'],
    ['${U:-$A}', { skipUnset: true }, '${U:-alpha}'],
    ['${U?why}', { skipUnset: true }, '${U?why}'],
    ['${U##*/} ${U%x} ${U//a/b}', { skipUnset: true }, '${U##*/} ${U%x} ${U//a/b}'],
    ['', {}, ''],
  ];
  for (const [word, options, want] of table)
    test(`${JSON.stringify(options)} ${word}`, () => assert.equal(expandOrFail(word, options), want));
});

test('says which variables were found and which were not', () => {
  const { matched, unmatched } = expandWord('$A ${U:-$V} ${EMPTY:+$W} ${A#$N1}', variables);
  assert.deepEqual([...matched], ['A', 'EMPTY', 'N1']);
  assert.deepEqual([...unmatched], ['V', 'U', 'W']);
});

test('a name from outside is no property of an object', () => {
  for (const name of ['__proto__', 'constructor', 'toString'])
    assert.equal(expandWord(`$${name}`, new Map()).result, '');
});

suite('B14: words made to be slow or large', () => {
  test('nesting has a limit', () => {
    for (const open of ['${U:-', '${A#', '${A/'])
      assert.match(expandOrFail(open.repeat(100_000)), /^!its variables are nested/);
  });

  test('growth has a limit', () => {
    const big = new Map([['X', 'x'.repeat(100_000)]]);
    assert.throws(() => expandWord('$X$X$X', big), /longer than 262144 characters/);
    assert.throws(() => expandWord('${X//x/$X}', big), /longer than 262144 characters/);
    assert.equal(expandWord('$X$X', big).result.length, 200_000);
  });

  test('patterns take time in proportion', () => {
    const value = new Map([['X', 'a'.repeat(200_000)]]);
    for (const word of [
      '${X//*a*a*a*b/y}',
      '${X##*a*a*a*b}',
      '${X%%b*a*a*a*}',
      '${X//a?a/}',
      `\${X//${'a*'.repeat(400)}b/}`,
    ])
      expandWord(word, value);
    assert.throws(() => expandWord(`\${X#${'a'.repeat(2000)}}`, value), /pattern is longer than 1000/);
  });
});
