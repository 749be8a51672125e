import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { progressColors } from './colors.ts';
import { at, log, Recorder, status, vertex } from './progress-fixture.ts';
import { displayWidth } from './terminal-text.ts';
import { TtyDisplay } from './tty-display.ts';

function start(environment: NodeJS.ProcessEnv = { NO_COLOR: '1' }) {
  const output = new Recorder();
  const clock = { now: 0 };
  const display = new TtyDisplay({
    output,
    colors: progressColors(environment),
    builder: 'slipway:default',
    timer: false,
    now: () => at(clock.now),
  });
  const frame = (now: number) => {
    clock.now = now;
    output.take();
    display.draw();
    return output.take();
  };
  return { output, clock, display, frame };
}

const linesOf = (frame: string) => stripVTControlCharacters(frame).replaceAll('\r', '').split('\n').slice(0, -1);

suite('progress on a terminal', () => {
  test('steps with their times, the last lines of output, a bar for what is transferred', () => {
    const { display, frame } = start();
    display.update(
      vertex('a', '[internal] load metadata for docker.io/library/busybox:latest', {
        started: at(0),
        completed: at(0.4),
      }),
    );
    display.update(vertex('b', '[1/3] FROM docker.io/library/busybox:latest', { started: at(0.4) }));
    display.update(status('b', 'sha256:2c50', { started: 0.5, now: 1 }, [5e6, 10e6]));
    display.update(vertex('c', '[2/3] RUN make', { started: at(0.5) }));
    display.update(log('c', 1, Array.from({ length: 9 }, (_, i) => `line ${i + 1}\n`).join('')));
    display.update(vertex('d', '[3/3] COPY . .'));
    assert.deepEqual(linesOf(frame(3.2)), [
      '[+] Building 3.2s (1/4)                                          slipway:default',
      ' => [internal] load metadata for docker.io/library/busybox:latest           0.4s',
      ' => [1/3] FROM docker.io/library/busybox:latest                             2.8s',
      ' => => sha256:2c50 [=====>      ] 5.00MB / 10.00MB                          2.7s',
      ' => [2/3] RUN make                                                          2.7s',
      ' => => # line 4',
      ' => => # line 5',
      ' => => # line 6',
      ' => => # line 7',
      ' => => # line 8',
      ' => => # line 9',
    ]);
  });

  test('a progress bar of a step moves in its line and stays as it was left', () => {
    const { display, frame } = start();
    display.update(vertex('a', 'RUN fetch', { started: at(0) }));
    display.update(log('a', 0.1, 'fetching\n  5 %\r'));
    display.update(log('a', 0.2, ' 50 %\r 60 %'));
    assert.deepEqual(linesOf(frame(1)).slice(2), [' => => # fetching', ' => => #  60 %']);
    display.update(log('a', 0.3, '\r100 %\ndone\n'));
    assert.deepEqual(linesOf(frame(1)).slice(2), [' => => # fetching', ' => => # 100 %', ' => => # done']);
  });

  test('a frame is drawn over the last one in a single write, without clearing the screen first', () => {
    const { display, frame } = start();
    display.update(vertex('a', 'one', { started: at(0) }));
    display.update(vertex('b', 'two', { started: at(0) }));
    frame(1);
    const second = frame(1.1);
    assert.match(second, /^\x1b\[\?2026h\x1b\[\?25l\x1b\[3A\r\[\+\] Building 1\.1s/);
    assert.ok(second.endsWith('\x1b[J\x1b[?2026l'));
    assert.ok(!second.includes('\x1b[2J'));
  });

  test('a terminal made narrower: the broken lines are counted, new ones fit', () => {
    const { output, display, frame } = start();
    display.update(vertex('a', 'x'.repeat(100), { started: at(0) }));
    frame(1);
    output.columns = 40;
    const narrow = frame(2);
    assert.ok(narrow.includes('\x1b[4A'), 'two lines of 80 columns have become four');
    for (const line of linesOf(narrow)) assert.ok(displayWidth(line) <= 40, line);
  });

  test('more steps than rows: what runs stays visible', () => {
    const { output, display, frame } = start();
    output.rows = 8;
    for (let i = 0; i < 30; i++) display.update(vertex(`v${i}`, `step ${i}`, { started: at(i), completed: at(i + 1) }));
    display.update(vertex('run', 'the running one', { started: at(30) }));
    display.update(log('run', 31, 'out\n'));
    const lines = linesOf(frame(32));
    assert.equal(lines.length, 7);
    assert.match(lines.at(-2) ?? '', /the running one/);
    assert.match(lines.at(-1) ?? '', /# out/);
    assert.match(lines[1] ?? '', /step 26/);
  });

  test('the end shows everything, brings the cursor back and tells what failed with its whole output', () => {
    const { output, clock, display, frame } = start();
    output.rows = 6;
    for (let i = 0; i < 10; i++)
      display.update(vertex(`v${i}`, `step ${i}`, { started: at(0), completed: at(0), cached: true }));
    display.update(vertex('bad', '[4/4] RUN false', { started: at(0) }));
    display.update(log('bad', 0.5, Array.from({ length: 20 }, (_, i) => `said ${i}\n`).join('')));
    frame(1);
    display.update(vertex('bad', '[4/4] RUN false', { started: at(0), completed: at(1), error: 'exit code: 1' }));
    clock.now = 1;
    display.finish();
    const text = output.take();
    assert.ok(text.includes('\x1b[?25h'));
    const lines = linesOf(text);
    assert.match(lines[0] ?? '', /^\[\+\] Building 1\.0s \(11\/11\) FINISHED/);
    assert.equal(lines.filter((line) => line.startsWith(' => CACHED step')).length, 10);
    assert.match(lines[11] ?? '', /^ => ERROR \[4\/4\] RUN false +1\.0s$/);
    assert.deepEqual(lines.slice(12, 15), ['------', ' > [4/4] RUN false:', '0.500 said 0']);
    assert.deepEqual(lines.slice(-2), ['0.500 said 19', '------']);
    display.finish();
    assert.equal(output.take(), '');
  });

  test('what still runs when the build ends is shown as stopped', () => {
    const { output, display, frame } = start();
    display.update(vertex('a', '[2/2] RUN sleep 100', { started: at(0) }));
    frame(1);
    display.finish();
    assert.match(stripVTControlCharacters(output.take()), /^ => CANCELED \[2\/2\] RUN sleep 100 +1\.0s/m);
  });

  test('escape sequences in names, logs and ids move nothing', () => {
    const { display, frame } = start();
    display.update(vertex('a', 'RUN \x1b[99Aevil\nname', { started: at(0) }));
    display.update(status('a', '\x1b]8;;http://x\x07id', { started: 0, now: 1 }));
    display.update(log('a', 1, '\x1b[1;1Hhome\x1bc\x07\n'));
    const shown = frame(1);
    assert.equal(shown.match(/\x1b\[\d+A/g), null);
    assert.deepEqual(
      linesOf(shown)
        .slice(1)
        .map((line) => line.replace(/ {2,}/, ' ')),
      [' => RUN evil name 1.0s', ' => => id 1.0s', ' => => # home'],
    );
  });

  test('wide characters count two columns', () => {
    const { display, frame } = start();
    display.update(vertex('a', '界'.repeat(60), { started: at(0) }));
    for (const line of linesOf(frame(1))) assert.ok(displayWidth(line) <= 80, line);
  });

  test('BUILDKIT_COLORS sets colours; NO_COLOR and nonsense do no harm', () => {
    const done = { started: at(0), completed: at(1) };
    for (const [environment, want] of [
      [{}, '\x1b[34m => x'],
      [{ BUILDKIT_COLORS: 'run=green:error=red' }, '\x1b[32m => x'],
      [{ BUILDKIT_COLORS: 'run=1,2,3' }, '\x1b[38;2;1;2;3m => x'],
      [{ BUILDKIT_COLORS: 'run=1,2,999:__proto__=red:=' }, '\x1b[34m => x'],
      [{ NO_COLOR: '1' }, '\n => x'],
    ] as const) {
      const { display, frame } = start(environment);
      display.update(vertex('a', 'x', done));
      assert.ok(frame(1).includes(want), JSON.stringify(environment));
    }
  });
});
