import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromBinary } from '@bufbuild/protobuf';
import { OpSchema } from './gen/ops_pb.js';
import { marshalDeterministic } from './marshal-deterministic.ts';

const sourceOp = (attrs: Record<string, string>) =>
  create(OpSchema, {
    op: { case: 'source', value: { identifier: 'local://context', attrs } },
    platform: { OS: 'linux', Architecture: 'amd64' },
    constraints: {},
  });

test('map keys are sorted, whatever order they were set in', () => {
  const one = marshalDeterministic(OpSchema, sourceOp({ 'local.unique': 'x', 'local.session': 's', 'a.b': '1' }));
  const other = marshalDeterministic(OpSchema, sourceOp({ 'a.b': '1', 'local.session': 's', 'local.unique': 'x' }));
  assert.deepEqual(one, other);
  const keys = [
    ...Buffer.from(one)
      .toString('latin1')
      .matchAll(/a\.b|local\.session|local\.unique/g),
  ].map(([key]) => key);
  assert.deepEqual(keys, ['a.b', 'local.session', 'local.unique']);
});

test('the bytes are those of the wire format, written out by hand', () => {
  const bytes = marshalDeterministic(
    OpSchema,
    create(OpSchema, { op: { case: 'source', value: { identifier: 'docker-image://x' } }, constraints: {} }),
  );
  // field 3 (source) { field 1 (identifier) }, field 11 (constraints) empty
  assert.equal(
    Buffer.from(bytes).toString('hex'),
    `1a12${'0a10'}${Buffer.from('docker-image://x').toString('hex')}5a00`,
  );
});

test('the message itself stays as it was', () => {
  const op = sourceOp({ b: '1', a: '2' });
  marshalDeterministic(OpSchema, op);
  assert.equal(op.op.case === 'source' && Object.keys(op.op.value.attrs).join(), 'b,a');
  assert.equal(fromBinary(OpSchema, marshalDeterministic(OpSchema, op)).op.case, 'source');
});
