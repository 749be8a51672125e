import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { parseFlags } from '../flags.ts';
import { createFlags, runFlags } from '../table/container-flags.ts';
import { createBody } from './create-body.ts';

interface Recorded {
  readonly args: readonly string[];
  readonly body: object;
}

/** What docker 28.2.2 sent for `docker create ARGS`; empty values left out. */
const recorded: readonly Recorded[] = JSON.parse(
  readFileSync(new URL('testdata/create-requests.json', import.meta.url), 'utf8').replaceAll('$PWD', process.cwd()),
);

function bodyOf(words: readonly string[], flags = createFlags): object {
  const parsed = parseFlags(words, flags, { stopAtFirst: true });
  const [image = '', ...command] = parsed.args;
  return createBody(image, command, parsed.flags);
}

const setsOfNames = new Set(['Volumes', 'ExposedPorts']);

/** Leaves out what is empty, so that two ways to say nothing are equal. */
function withoutEmpty(value: unknown, key = ''): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([name, each]) => [
    name,
    setsOfNames.has(key) ? each : withoutEmpty(each, name),
  ]);
  return Object.fromEntries(entries.filter(([, each]) => setsOfNames.has(key) || !isEmpty(each)));
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === null || value === undefined || !value;
  return Object.keys(value).length === 0;
}

suite('what create sends', () => {
  for (const { args, body } of recorded)
    test(`as docker: ${args.slice(0, 6).join(' ')} …`, () => {
      assert.deepEqual(withoutEmpty(JSON.parse(JSON.stringify(bodyOf(args)))), withoutEmpty(body));
    });

  test('variables: files first, names alone take the value of the caller', () => {
    const directory = mkdtempSync(join(tmpdir(), 'slipway-cli-'));
    try {
      const file = join(directory, 'env');
      writeFileSync(file, '\uFEFF# comment\n\nA=from file\n  B=2 \nSLIPWAY_TEST_UNSET\n');
      const body = bodyOf(['--env-file', file, '-e', 'A=1', '-e', 'HOME', '-e', 'SLIPWAY_TEST_UNSET', 'x']);
      assert.deepEqual(Reflect.get(body, 'Env'), [
        'A=from file',
        'B=2 ',
        'A=1',
        `HOME=${process.env.HOME}`,
        'SLIPWAY_TEST_UNSET',
      ]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('streams: none when detached, the named ones when named', () => {
    const streams = (words: readonly string[]) => {
      const { AttachStdin, AttachStdout, AttachStderr, OpenStdin, StdinOnce } = bodyOf(words, runFlags) as Record<
        string,
        boolean
      >;
      return { AttachStdin, AttachStdout, AttachStderr, OpenStdin, StdinOnce };
    };
    const off = { AttachStdin: false, AttachStdout: false, AttachStderr: false, OpenStdin: false, StdinOnce: false };
    assert.deepEqual(streams(['-d', 'x']), off);
    assert.deepEqual(streams(['-di', 'x']), { ...off, OpenStdin: true });
    assert.deepEqual(streams(['-i', 'x']), {
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      OpenStdin: true,
      StdinOnce: true,
    });
    assert.deepEqual(streams(['-a', 'STDERR', 'x']), { ...off, AttachStderr: true });
  });

  const refused: readonly (readonly [readonly string[], RegExp])[] = [
    [['-p', 'abc', 'x'], /invalid port "abc"/],
    [['-p', '1-2:1-3', 'x'], /invalid ranges/],
    [['-p', '70000', 'x'], /invalid port/],
    [['--expose', '1/icmp', 'x'], /invalid proto: icmp/],
    [['-v', 'a:b:c:d', 'x'], /invalid volume specification: 'a:b:c:d'/],
    [['-v', '/a:', 'x'], /invalid volume/],
    [['--mount', 'type=bind,src=/a', 'x'], /target is required/],
    [['--mount', 'type=nope,dst=/a', 'x'], /unknown type 'nope'/],
    [['--mount', 'dst=/a,colour=red', 'x'], /unexpected key 'colour'/],
    [['--ulimit', 'nofile', 'x'], /invalid argument "nofile" for "--ulimit"/],
    [['--restart', 'sometimes', 'x'], /invalid restart policy: "sometimes"/],
    [['--restart', 'always:3', 'x'], /invalid restart policy/],
    [['--memory', 'lots', 'x'], /cannot use "lots" as a size/],
    [['--health-interval', '5', '--health-cmd', 'x', 'x'], /cannot use "5" as a duration/],
    [['-a', 'sideways', 'x'], /invalid argument "sideways" for "-a, --attach"/],
    [['--gpus', 'many', 'x'], /"--gpus"/],
    [['--add-host', 'nocolon', 'x'], /bad format for add-host/],
  ];
  for (const [words, want] of refused)
    test(`refused: ${words.slice(0, 2).join(' ')}`, () => {
      assert.throws(() => bodyOf(words), want);
    });

  test('fields of --mount in quotes may hold commas', () => {
    const body = bodyOf(['--mount', 'type=bind,"src=/a,b",dst=/c,ro=false', 'x']);
    assert.deepEqual(Reflect.get(Reflect.get(body, 'HostConfig'), 'Mounts'), [
      { Type: 'bind', Source: '/a,b', Target: '/c' },
    ]);
  });
});
