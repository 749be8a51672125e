import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import { commands, groups } from './command-table.ts';
import { completionScript } from './completion.ts';
import { commandHelp, findCommand, helpFor, isGroup, unknownCommand } from './help.ts';

suite('the table of commands', () => {
  test('no name and no flag stands for two things', () => {
    const names = commands.flatMap((command) => command.names);
    assert.equal(new Set(names).size, names.length);
    for (const {
      names: [name],
      flags,
    } of commands) {
      const long = flags.map((flag) => flag.name);
      const short = flags.flatMap((flag) => flag.short ?? []);
      assert.equal(new Set(long).size, long.length, `${name}: two flags of one name`);
      assert.equal(new Set(short).size, short.length, `${name}: two flags of one letter`);
    }
  });

  test('every command in a group has its group, and every command can be loaded', async () => {
    for (const { names, load } of commands) {
      for (const name of names)
        if (name.includes(' ')) assert.ok(Object.hasOwn(groups, name.split(' ')[0] ?? ''), name);
      assert.equal(typeof (await load()), 'function', names.join());
    }
  });

  test("docker's ways to call a command", () => {
    const same = [
      ['build', 'image build', 'builder build', 'buildx build', 'buildx b'],
      ['images', 'image ls', 'image list'],
      ['rmi', 'image rm', 'image remove'],
      ['ps', 'container ls', 'container list', 'container ps'],
      ['run', 'container run'],
      ['history', 'image history'],
      ['info', 'system info'],
      ['volume ls', 'volume list'],
      ['builder prune', 'buildx prune'],
    ];
    for (const names of same) {
      const found = names.map((name) => findCommand([...name.split(' '), 'rest']));
      for (const each of found) {
        assert.equal(each?.command, found[0]?.command);
        assert.deepEqual(each?.rest, ['rest']);
      }
    }
  });

  test('an unknown command is told with what was meant', () => {
    assert.match(
      unknownCommand(['imags']),
      /^slipway: unknown command: slipway imags\n\nDid you mean 'slipway images'\?/,
    );
    assert.match(unknownCommand(['image', 'inspct']), /slipway image inspct\n\nDid you mean 'slipway image inspect'/);
    assert.ok(isGroup(['image']));
    assert.ok(!isGroup(['constructor']));
  });
});

suite('help', () => {
  test("a command's, in docker's layout", () => {
    const found = findCommand(['tag']);
    assert.ok(found);
    assert.equal(
      commandHelp(found.command, found.name),
      [
        'Usage:  slipway tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
        '',
        'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
        '',
        'Aliases:',
        '  slipway image tag, slipway tag',
      ].join('\n'),
    );
    const stop = helpFor('stop');
    assert.match(stop, /\n {2}-s, --signal string {3}Signal to send\n/);
    assert.match(stop, /\n {6}--time int {8}The same as --timeout\n/);
  });

  test("a group's and the program's", () => {
    assert.match(
      helpFor('volume'),
      /^Usage: {2}slipway volume COMMAND\n\nManage volumes\n\nCommands:\n {2}create {4}Create a volume\n/,
    );
    assert.match(helpFor(''), /Common Commands:\n {2}run {7}Create and run/);
    assert.match(helpFor('nope'), /unknown command/);
  });
});

suite('completion', () => {
  /** What bash offers for a line that ends with the word to complete. */
  const complete = (line: string) => {
    const words = line.split(' ');
    const script = `${completionScript('bash')}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _slipway; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '--noprofile', '-c', script], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    assert.equal(stderr, '');
    return stdout.split('\n').filter((each) => each !== '');
  };
  const hasBash = spawnSync('bash', ['-c', 'true']).status === 0;

  test('bash: commands, members of groups, flags', { skip: !hasBash && 'no bash' }, () => {
    assert.deepEqual(complete('slipway im'), ['image', 'images', 'import']);
    assert.deepEqual(complete('slipway image pu'), ['pull', 'push']);
    assert.deepEqual(complete('slipway build --tar'), ['--target']);
    assert.deepEqual(complete('slipway image build --tar'), ['--target']);
    assert.deepEqual(complete('slipway buildx build --check'), ['--check']);
    assert.deepEqual(complete('slipway --root /x -D volume r'), ['rm', 'remove']);
    assert.deepEqual(complete('slipway --ro'), ['--root']);
    assert.deepEqual(complete('slipway completion z'), ['zsh']);
  });

  test('zsh and fish come from the same table; other shells are refused', () => {
    assert.match(completionScript('zsh'), /^#compdef slipway\n/);
    assert.match(completionScript('fish'), /'__fish_seen_subcommand_from build' -l target -r/);
    assert.throws(() => completionScript('csh'), /want bash, zsh or fish/);
  });
});
