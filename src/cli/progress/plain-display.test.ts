import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { PlainDisplay } from './plain-display.ts';
import { at, log, Recorder, status, vertex } from './progress-fixture.ts';

function start(colors = false) {
  const output = new Recorder();
  const clock = { now: 0 };
  const display = new PlainDisplay({ output, colors, timer: false, now: () => at(clock.now) });
  return { output, clock, display };
}

suite('plain progress', () => {
  test('steps, their output, transfers and ends, in the lines of BuildKit', () => {
    const { output, display } = start();
    display.update(vertex('a', '[internal] load build definition from Dockerfile', { started: at(0) }));
    display.update(status('a', 'transferring dockerfile:', { started: 0, now: 0, completed: 0 }, [92, 0]));
    display.update(
      vertex('a', '[internal] load build definition from Dockerfile', { started: at(0), completed: at(0.04) }),
    );
    display.update(vertex('b', '[1/2] FROM busybox', { started: at(0.1), completed: at(0.1), cached: true }));
    display.update(vertex('c', '[2/2] RUN make', { started: at(0.2) }));
    display.update(log('c', 0.612, 'one\ntw'));
    display.update(log('c', 0.7, 'o\n'));
    display.update(vertex('c', '[2/2] RUN make', { started: at(0.2), completed: at(1.5) }));
    display.finish();
    assert.equal(
      output.text,
      [
        '#1 [internal] load build definition from Dockerfile',
        '#1 transferring dockerfile: 92B done',
        '#1 DONE 0.0s',
        '',
        '#2 [1/2] FROM busybox',
        '#2 CACHED',
        '',
        '#3 [2/2] RUN make',
        '#3 0.412 one',
        '#3 0.500 two',
        '#3 DONE 1.3s',
        '',
        '',
      ].join('\n'),
    );
  });

  test('a failure is told at its step and again at the end, with all that the step has said', () => {
    const { output, display } = start();
    const failed = {
      started: at(0),
      completed: at(1),
      error: 'process "/bin/sh -c false" did not complete successfully: exit code: 1',
    };
    display.update(vertex('a', '[2/2] RUN false', { started: at(0) }));
    display.update(log('a', 0.25, 'no newline at the end'));
    display.update(vertex('a', '[2/2] RUN false', failed));
    display.finish();
    assert.equal(
      output.text,
      [
        '#1 [2/2] RUN false',
        '#1 1.000 no newline at the end',
        '#1 ERROR: process "/bin/sh -c false" did not complete successfully: exit code: 1',
        '',
        '------',
        ' > [2/2] RUN false:',
        '1.000 no newline at the end',
        '------',
        '',
      ].join('\n'),
    );
  });

  test('one step has the floor until it falls silent, then says that it goes on later', () => {
    const { output, clock, display } = start();
    display.update(vertex('a', 'first', { started: at(0) }));
    display.update(vertex('b', 'second', { started: at(0) }));
    display.update(log('b', 0.1, 'b waits\n'));
    display.update(log('a', 0.2, 'a speaks\n'));
    assert.equal(output.take(), '#1 first\n#1 0.200 a speaks\n');
    clock.now = 1.5;
    display.tick();
    assert.equal(output.take(), '#1 ...\n\n#2 second\n#2 0.100 b waits\n');
    display.update(vertex('b', 'second', { started: at(0), completed: at(2) }));
    display.update(log('a', 2.5, 'a again\n'));
    display.update(vertex('a', 'first', { started: at(0), completed: at(3) }));
    assert.equal(output.take(), '#2 DONE 2.0s\n\n#1 first\n#1 2.500 a again\n#1 DONE 3.0s\n\n');
  });

  test('canceled steps are told so', () => {
    const { output, display } = start();
    display.update(vertex('a', 'x', { started: at(0), completed: at(1), error: 'context canceled' }));
    display.finish();
    assert.equal(output.text, '#1 x\n#1 CANCELED\n\n');
  });

  test('long transfers are shown again now and then', () => {
    const { output, display } = start();
    display.update(vertex('a', 'pull', { started: at(0) }));
    const layer = 'sha256:2c50';
    for (const now of [0.1, 1, 5, 6, 10.5]) display.update(status('a', layer, { started: 0, now }, [now * 1e6, 20e6]));
    display.update(status('a', layer, { started: 0, now: 12, completed: 12 }, [20e6, 20e6]));
    display.update(status('a', layer, { started: 0, now: 12, completed: 12 }, [20e6, 20e6]));
    assert.equal(
      output.text,
      '#1 pull\n#1 sha256:2c50 5.00MB / 20.00MB 5.0s\n#1 sha256:2c50 10.50MB / 20.00MB 10.5s\n#1 sha256:2c50 20.00MB / 20.00MB 12.0s done\n',
    );
  });

  test('escape sequences of steps reach no terminal; colours may stay where they are wanted', () => {
    const hostile = '\x1b]0;title\x07\x1b[2J\x1b[31mred\x1b[0m\x1b[6n \u202egnp\x9b2Kend\n';
    for (const [colors, want] of [
      [false, '#1 x\n#1 1.000 red gnpend\n'],
      [true, '#1 x\n#1 1.000 \x1b[31mred\x1b[0m gnpend\x1b[0m\n'],
    ] as const) {
      const { output, display } = start(colors);
      display.update(vertex('a', '\x1b[2Jx', { started: at(0) }));
      display.update(log('a', 1, hostile));
      assert.equal(output.text, want);
    }
  });

  test('a progress bar drawn with carriage returns leaves its last state; CRLF ends a line', () => {
    const { output, display } = start();
    display.update(vertex('a', 'x', { started: at(0) }));
    for (const piece of ['10%\r', '50%\r100%', '\r', '\nnext\r', '\n']) display.update(log('a', 1, piece));
    assert.equal(output.text, '#1 x\n#1 1.000 100%\n#1 1.000 next\n');
  });

  test('no output is clipped', () => {
    const { output, display } = start();
    display.update(vertex('a', 'x', { started: at(0) }));
    const line = `${'y'.repeat(99)}\n`;
    for (let i = 0; i < 300; i++) display.update(log('a', 1, line.repeat(100)));
    assert.equal(output.text.split('\n').filter((each) => each.endsWith('yyy')).length, 30_000);
  });

  test('vertices of a progress group are one step', () => {
    const { output, display } = start();
    const group = { progressGroup: { id: 'g', name: '[2/3] COPY . .', weak: false } };
    display.update(vertex('a', 'part 1', { ...group, started: at(0) }));
    display.update(vertex('b', 'part 2', { ...group, started: at(0.5) }));
    display.update(vertex('a', 'part 1', { ...group, started: at(0), completed: at(1) }));
    assert.equal(output.take(), '#1 [2/3] COPY . .\n');
    display.update(vertex('b', 'part 2', { ...group, started: at(0.5), completed: at(2) }));
    assert.equal(output.take(), '#1 DONE 2.0s\n\n');
  });
});
