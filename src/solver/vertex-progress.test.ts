import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../base/digest.ts';
import type { VertexEvent } from './progress.ts';
import { VertexProgress } from './vertex-progress.ts';

test('work that begins after a step has ended shows it as running again, until it is settled', () => {
  const events: VertexEvent[] = [];
  const ignore = () => {};
  const sink = { vertex: (event: VertexEvent) => events.push(event), status: ignore, log: ignore, warning: ignore };
  const vertex = { digest: digestOf('from'), inputs: [], name: 'FROM', ignoreCache: false };
  const progress = new VertexProgress(vertex, () => [sink]);
  const context = progress.context(new AbortController().signal, () => []);
  progress.started();
  progress.completed();
  context.settled();
  assert.equal(events.length, 2);
  context.status('layer', { current: 1 });
  context.settled();
  assert.deepEqual(
    events.map(({ completed }) => completed !== undefined),
    [false, true, false, true],
  );
});
