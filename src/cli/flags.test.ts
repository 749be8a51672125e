import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkArity } from './check-arity.ts';
import { boolean, list, number, parseFlags, text, UsageError } from './flags.ts';

const flags = [
  boolean('interactive', '', 'i'),
  boolean('tty', '', 't'),
  boolean('rm', ''),
  list('env', '', 'e'),
  text('name', ''),
  number('cpus', ''),
  number('last', '', 'n'),
];

function parse(words: readonly string[], stopAtFirst = false) {
  const parsed = parseFlags(words, flags, { stopAtFirst });
  const given = flags.filter(({ name }) => parsed.flags.has(name));
  const values = given.map(({ name, kind }) => [
    name,
    kind === 'list' ? parsed.flags.list(name) : parsed.flags.text(name),
  ]);
  return { ...Object.fromEntries(values), args: parsed.args };
}

suite("flags in docker's grammar", () => {
  const cases: readonly (readonly [string, ReturnType<typeof parse>])[] = [
    ['-it x', { interactive: 'true', tty: 'true', args: ['x'] }],
    ['-ti=false x', { tty: 'true', interactive: 'false', args: ['x'] }],
    ['-eB=2 -e C=3 --env=D=4 --env E', { env: ['B=2', 'C=3', 'D=4', 'E'], args: [] }],
    ['-e=B', { env: ['B'], args: [] }],
    ['-iteA=1 x', { interactive: 'true', tty: 'true', env: ['A=1'], args: ['x'] }],
    ['--rm=false --rm=T', { rm: 'true', args: [] }],
    ['--rm false', { rm: 'true', args: ['false'] }],
    ['--name= a', { name: '', args: ['a'] }],
    ['--name -x a', { name: '-x', args: ['a'] }],
    ['--name a --name b', { name: 'b', args: [] }],
    ['a --rm b -i', { rm: 'true', interactive: 'true', args: ['a', 'b'] }],
    ['-- --rm -i', { args: ['--rm', '-i'] }],
    ['a -- -i', { args: ['a', '-i'] }],
    ['- x', { args: ['-', 'x'] }],
    ['--cpus 1.5 -n -1', { cpus: '1.5', last: '-1', args: [] }],
    ['-n5', { last: '5', args: [] }],
  ];
  for (const [words, want] of cases)
    test(words, () => {
      assert.deepEqual(parse(words.split(' ')), want);
    });

  test("after the first argument of run everything is the container's", () => {
    assert.deepEqual(parse(['-i', 'alpine', 'ls', '-i', '--', '--rm'], true), {
      interactive: 'true',
      args: ['alpine', 'ls', '-i', '--', '--rm'],
    });
    assert.deepEqual(parse(['-i', '--', '-x', '-i'], true), { interactive: 'true', args: ['-x', '-i'] });
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['--zzzzzz', /^unknown flag: --zzzzzz$/],
    ['--nam x', /^unknown flag: --nam \(did you mean --name\?\)$/],
    ['-x', /^unknown shorthand flag: 'x' in -x$/],
    ['-itx', /^unknown shorthand flag: 'x' in -itx$/],
    ['--name', /^flag needs an argument: --name$/],
    ['-it -e', /^flag needs an argument: 'e' in -e$/],
    ['-it=x', /^invalid argument "x" for "-t, --tty" flag/],
    ['--rm=maybe', /^invalid argument "maybe" for "--rm" flag: want true or false$/],
    ['--last two', /^invalid argument "two" for "-n, --last" flag: want a number$/],
  ];
  for (const [words, want] of wrong)
    test(`refused with 125: ${words}`, () => {
      assert.throws(
        () => parse(words.split(' ')),
        (error) => error instanceof UsageError && error.exit === 125 && want.test(error.message),
      );
    });

  test('the number of arguments, in the words of docker, with exit code 1', () => {
    const check = (arity: readonly [number, number?], count: number) => {
      const command = { names: ['x'], usage: '', summary: '', flags: [], arity, load: () => Promise.reject() };
      try {
        checkArity(
          command,
          'x',
          Array.from({ length: count }, () => 'a'),
        );
        return undefined;
      } catch (error) {
        return error instanceof UsageError && error.exit === 1 ? error.message : error;
      }
    };
    assert.equal(check([1], 0), "'slipway x' requires at least 1 argument");
    assert.equal(check([2], 1), "'slipway x' requires at least 2 arguments");
    assert.equal(check([1, 1], 2), "'slipway x' requires 1 argument");
    assert.equal(check([0, 0], 1), "'slipway x' accepts no arguments");
    assert.equal(check([0, 1], 2), "'slipway x' requires at most 1 argument");
    assert.equal(check([1, 2], 3), "'slipway x' requires at least 1 and at most 2 arguments");
    assert.equal(check([1], 9), undefined);
  });
});
