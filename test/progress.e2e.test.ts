import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { cannotRun, projectRoot, Sandbox } from './support/slipway.ts';

suite('what a build shows', { skip: cannotRun }, () => {
  const sandbox = cannotRun ? undefined : new Sandbox();
  const use = (): Sandbox => {
    assert.ok(sandbox);
    return sandbox;
  };
  let [loud, failing] = ['', ''];
  before(async () => {
    await use().baseImage('busybox:latest');
    loud = use().files('loud', {
      Dockerfile: 'FROM busybox\nRUN seq 1 150000 | sed "s/.*/line & of all the output/"\n',
    });
    failing = use().files('failing', { Dockerfile: 'FROM busybox\nRUN seq 1 300 | sed s/^/said-/; exit 3\n' });
  });
  after(() => sandbox?.[Symbol.asyncDispose]());

  test('all output of a step, however much: BuildKit stops after 2 MiB', async () => {
    const { stderr } = await use().run(['build', '--progress=plain', loud]);
    const numbers = [...stderr.matchAll(/^#\d+ \d+\.\d+ line (\d+) of all the output$/gm)].map(([, n]) => Number(n));
    assert.equal(numbers.length, 150_000);
    assert.ok(numbers.every((n, index) => n === index + 1));
  });

  test('without a terminal, plain; quiet prints the id alone; BUILDKIT_PROGRESS chooses', async () => {
    const context = use().files('small', { Dockerfile: 'FROM busybox\nRUN true\n' });
    assert.match((await use().run(['build', context])).stderr, /^#1 \[internal\] load build definition/);
    const quiet = await use().run(['build', '-q', context]);
    assert.match(quiet.stdout, /^sha256:[0-9a-f]{64}\n$/);
    assert.equal(quiet.stderr, '');
    const raw = await use().run(['build', context], { env: { BUILDKIT_PROGRESS: 'rawjson' } });
    for (const line of raw.stderr.trim().split('\n')) assert.equal(typeof JSON.parse(line), 'object');
  });

  const hasScript = existsSync('/usr/bin/script') ? false : 'there is no script(1) to make a terminal';
  const inTerminal = (command: string, env: NodeJS.ProcessEnv = {}) =>
    use().other('script', ['-qefc', `stty rows 24 columns 80; ${command}`, '/dev/null'], { env });
  const program = `${projectRoot}/bin/slipway`;

  test('on a terminal: a table within its columns, the whole output of what failed, the cursor back', {
    skip: hasScript,
  }, async () => {
    const { code, stdout } = await inTerminal(`${program} build ${failing}`, { TERM: 'xterm' });
    assert.equal(code, 1, stdout);
    assert.ok(stdout.lastIndexOf('\x1b[?25h') > stdout.lastIndexOf('\x1b[?25l'), 'the cursor is shown again');
    const text = stripVTControlCharacters(stdout).replaceAll('\r', '');
    const table = text.slice(text.lastIndexOf('[+] Building'), text.indexOf('------'));
    assert.match(table, /^\[\+\] Building \d+\.\d+s \(5\/5\) FINISHED +slipway:default\n/);
    assert.match(table, /^ => ERROR \[2\/2\] RUN seq .* \d\.\ds$/m);
    for (const line of table.split('\n')) assert.ok(line.length <= 80, line);
    const tail = text.slice(text.indexOf('------'));
    assert.equal([...tail.matchAll(/^\d+\.\d+ said-\d+$/gm)].length, 300);
    assert.match(tail, /exit code: 3/);
  });

  test('colours on a terminal, none with NO_COLOR, others with BUILDKIT_COLORS', { skip: hasScript }, async () => {
    const coloured = /\x1b\[3[0-9;]*m/;
    assert.doesNotMatch((await inTerminal(`${program} build ${failing}`)).stdout, coloured);
    const green = { NO_COLOR: '', BUILDKIT_COLORS: 'error=green' };
    assert.match((await inTerminal(`${program} build ${failing}`, green)).stdout, /\x1b\[32m => ERROR/);
  });
});
