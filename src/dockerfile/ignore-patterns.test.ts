import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { compileGoMatch } from './go-match.ts';
import { createMatcher, readIgnoreFile } from './ignore-patterns.ts';

/** Patterns, then paths that they match and paths that they do not. */
const cases: readonly (readonly [patterns: string, matched: string, unmatched: string])[] = [
  ['a', 'a a/b a/b/c', 'b ab b/a'],
  ['/a', 'a a/b', 'b/a'],
  ['a/', 'a a/b', 'b'],
  ['./a', 'a', 'b'],
  ['a/b', 'a/b a/b/c', 'a a/c b'],
  ['*', 'a a/b .hidden', ''],
  ['*.js', 'app.js .js', 'app.ts a/app.js appjs'],
  ['*/*.js', 'a/app.js', 'app.js a/b/app.js'],
  ['**/*.js', 'app.js a/app.js a/b/c/app.js', 'app.ts'],
  ['**', 'a a/b', ''],
  ['**/a', 'a b/a b/c/a b/a/c', 'ab b/ab'],
  ['a/**', 'a/b a/b/c', 'a b'],
  ['a/**/b', 'a/b a/x/b a/x/y/b', 'a/x b'],
  ['a**', 'a ab ab/c a/b', 'b'],
  ['a**b', 'ab a/b a/x/b', 'a axb'],
  ['**a*', 'a ab b/ab', '.a b/.a'],
  ['**ab', 'ab xab x/yab', 'abx'],
  ['****a', 'a b/a', '.a'],
  ['b***/a', 'b/x/yz/a bx/a', 'ba'],
  ['a[^b]c', 'axc a/c', 'abc'],
  ['**/node_modules', 'node_modules a/node_modules a/node_modules/x', 'node_modules2'],
  ['?', 'a', 'ab /'],
  ['a?c', 'abc', 'ac a/c'],
  ['[a-c]', 'a b c a/x', 'd'],
  ['[^a]', 'b', 'a'],
  ['a[!]b', 'a!b', 'ab'],
  ['\\*', '*', 'a'],
  ['a\\?', 'a?', 'ab'],
  ['* !b', 'a c', 'b b/c'],
  ['* !a/b', 'c a a/c', 'a/b'],
  ['a !a/b a/b/c', 'a a/c a/b/c', 'a/b a/b/d'],
  ['!a a', 'a', 'b'],
  ['a !a', '', 'a a/b'],
  ['*.md !README.md', 'a.md', 'README.md'],
  ['*.md !README*.md README-secret.md', 'a.md README-secret.md', 'README.md README-x.md'],
  ['**/.git', '.git a/.git/config', '.gitignore'],
  ['.', '', 'a'],
  ['a/../b', 'b', 'a'],
  ['a.b', 'a.b', 'axb'],
  ['a+b(c)', 'a+b(c)', 'aab'],
  ['$x^', '$x^', 'x'],
  ['ä*', 'äb', 'ab'],
  ['[α-γ]', 'β', 'δ'],
  ['*/temp*', 'a/temp a/temporary.txt', 'temp a/b/temp'],
  ['*/*/temp*', 'a/b/temp', 'a/temp'],
  ['temp?', 'tempa', 'temp tempab'],
  ['**/foo/bar', 'foo/bar x/foo/bar x/foo/bar/y', 'foo/x/bar'],
  ['foo/**/*.txt', 'foo/a.txt foo/x/y/a.txt', 'a.txt foo/a.md'],
  ['a/*/c', 'a/b/c', 'a/c a/b/b/c'],
  ['.*', '.a .git/x', 'a a/.b'],
  ['**/*.o !keep.o', 'a.o x/keep.o', 'keep.o'],
  ['dir/* !dir/keep', 'dir/a', 'dir/keep dir'],
  ['dir/** !dir/keep', 'dir/a/b', 'dir/keep dir/keep/x'],
  ['a b c', 'a b c', 'd'],
  ['{a,b}', '{a,b}', 'a'],
  ['a|b', 'a|b', 'a b'],
];

suite('ignore patterns', () => {
  for (const [patterns, matched, unmatched] of cases) {
    const matcher = createMatcher(patterns.split(' '));
    for (const [list, want] of [
      [matched, true],
      [unmatched, false],
    ] as const) {
      for (const path of list.split(' ').filter((each) => each !== '')) {
        test(`"${patterns}" ${want ? 'matches' : 'does not match'} "${path}"`, () => {
          assert.equal(matcher.matches(path), want);
        });
      }
    }
  }

  test('reads the file', () => {
    const text = '\uFEFF# comment\n\n  spaced  \n#also\n /rooted\n! taken/back \na//b/../c/\r\n  # not a comment\n';
    assert.deepEqual(readIgnoreFile(text), ['spaced', 'rooted', '!taken/back', 'a/c', '# not a comment']);
  });

  test('a lone ! and broken syntax are refused', () => {
    assert.throws(() => createMatcher(['!']), /excludes nothing/);
    for (const bad of ['[', '[]', '[a', '[a-]', 'a\\', '[-x]'])
      assert.throws(() => createMatcher([bad]), /syntax/, bad);
  });

  test('which directories must be looked into', () => {
    const matcher = createMatcher(['*', '!src/a/*.js', '!docs']);
    assert.ok(matcher.hasExclusions);
    assert.deepEqual(
      ['src', 'src/a', 'src/b', 'docs', 'lib', 'src/a/b'].map((path) => matcher.mayReincludeBelow(path)),
      [true, true, false, false, false, false],
    );
    const include = createMatcher(['src/**/x', 'one']);
    assert.deepEqual(
      ['src', 'src/q', 'one', 'two'].map((path) => include.mayMatchBelow(path)),
      [true, true, false, false],
    );
  });

  test('B4: patterns made to be slow are not', () => {
    const matcher = createMatcher([`${'*a'.repeat(30)}b`, `${'**/'.repeat(30)}x`, '*'.repeat(500)]);
    assert.equal(matcher.matches('a'.repeat(60)), true);
    assert.equal(createMatcher([`${'**/'.repeat(50)}b`]).matches(`${'a/'.repeat(200)}a`), false);
  });
});

suite('Go wildcards', () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ['abc', 'abc', true],
    ['*', 'abc', true],
    ['*c', 'abc', true],
    ['a*', 'a', true],
    ['a*/b', 'abc/b', true],
    ['a*/b', 'a/c/b', false],
    ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
    ['a*b?c*x', 'abxbbxdbxebxczzx', true],
    ['a*b?c*x', 'abxbbxdbxebxczzy', false],
    ['ab[c]', 'abc', true],
    ['ab[b-d]', 'abc', true],
    ['ab[e-g]', 'abc', false],
    ['ab[^c]', 'abc', false],
    ['ab[^e-g]', 'abc', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'ab', false],
    ['a?b', 'a☺b', true],
    ['a[^a]b', 'a☺b', true],
    ['[a-ζ]*', 'α', true],
    ['*[a-ζ]', 'A', false],
    ['a?b', 'a/b', false],
    ['[\\]a]', ']', true],
    ['[\\-]', '-', true],
    ['[x\\-]', 'z', false],
    ['*x', 'xxx', true],
    ['[^x]', '/', false],
  ];
  for (const [pattern, name, want] of table) {
    test(`"${pattern}" ${want ? 'is' : 'is not'} "${name}"`, () => assert.equal(compileGoMatch(pattern)(name), want));
  }
});
