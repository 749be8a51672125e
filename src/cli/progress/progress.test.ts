import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { StatusResponseSchema } from '../../api/gen/control_pb.js';
import { create } from '../../api/message/create.ts';
import { timestampFromDate } from '../../api/message/well-known.ts';
import { createDisplay, progressMode } from './create-display.ts';
import { noProgress } from './events.ts';
import { at, Recorder, vertex } from './progress-fixture.ts';
import { RawJsonDisplay } from './raw-json-display.ts';
import { progressOf } from './status-response.ts';
import { summarizeWarnings } from './warning-summary.ts';

const wire = create(StatusResponseSchema, {
  vertexes: [{ digest: 'sha256:aa', name: 'RUN x', started: timestampFromDate(at(1)), error: '' }],
  statuses: [{ ID: 'layer', vertex: 'sha256:aa', current: 5n, total: 9n, timestamp: timestampFromDate(at(2)) }],
  logs: [{ vertex: 'sha256:aa', stream: 2n, msg: Buffer.from('hi\n'), timestamp: timestampFromDate(at(2)) }],
  warnings: [
    {
      vertex: 'sha256:aa',
      level: 1n,
      short: Buffer.from('JSONArgsRecommended: use JSON'),
      detail: [Buffer.from('because')],
      url: 'https://docs',
      info: { filename: 'Dockerfile', data: Buffer.from('FROM a\nCMD x\n') },
      ranges: [{ start: { line: 2 }, end: { line: 2 } }],
    },
  ],
});

suite('progress', () => {
  test('rawjson has the keys of SolveStatus', () => {
    const output = new Recorder();
    const display = new RawJsonDisplay(output);
    display.update(progressOf(wire));
    display.update(noProgress);
    assert.deepEqual(JSON.parse(output.text), {
      vertexes: [{ digest: 'sha256:aa', name: 'RUN x', started: '2026-01-01T00:00:01.000Z' }],
      statuses: [{ id: 'layer', vertex: 'sha256:aa', total: 9, current: 5, timestamp: '2026-01-01T00:00:02.000Z' }],
      logs: [{ vertex: 'sha256:aa', stream: 2, data: 'aGkK', timestamp: '2026-01-01T00:00:02.000Z' }],
      warnings: [
        {
          vertex: 'sha256:aa',
          level: 1,
          short: Buffer.from('JSONArgsRecommended: use JSON').toString('base64'),
          detail: [Buffer.from('because').toString('base64')],
          url: 'https://docs',
          sourceInfo: { filename: 'Dockerfile', data: Buffer.from('FROM a\nCMD x\n').toString('base64') },
          range: [{ start: { line: 2 }, end: { line: 2 } }],
        },
      ],
    });
  });

  test('the mode: the flag, else BUILDKIT_PROGRESS, else by the terminal', () => {
    assert.equal(progressMode(undefined, true), 'tty');
    assert.equal(progressMode('auto', false), 'plain');
    assert.equal(progressMode('none', true), 'quiet');
    assert.throws(() => progressMode('tty', false), /not a terminal/);
    assert.throws(() => progressMode('fancy', true), /cannot show progress as "fancy"/);
    const output = new Recorder();
    const environment = { BUILDKIT_PROGRESS: 'rawjson' };
    assert.equal(createDisplay({ output, environment }).mode, 'rawjson');
    assert.equal(createDisplay({ output, environment, mode: 'plain' }).mode, 'plain');
    const quiet = createDisplay({ output, environment, quiet: true });
    quiet.update(vertex('a', 'x', { started: at(0) }));
    quiet.finish();
    assert.equal(output.text, '');
  });

  test('warnings at the end, in short and with their lines', () => {
    const { warnings } = progressOf(wire);
    assert.deepEqual(summarizeWarnings([], false), []);
    assert.deepEqual(summarizeWarnings(warnings, false), [
      '',
      ' 1 warning found (use --debug to expand):',
      ' - JSONArgsRecommended: use JSON (line 2)',
    ]);
    const detailed = summarizeWarnings(warnings, true);
    assert.ok(detailed.includes('More info: https://docs'));
    assert.ok(detailed.includes('   2 | >>> CMD x'));
  });
});
