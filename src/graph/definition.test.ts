import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Definition, DefinitionSchema, OpSchema } from '../api/gen/ops_pb.js';
import { create } from '../api/message/create.ts';
import { toBinary } from '../api/message/encode.ts';
import { marshalDefinition, readDefinition, verticesOf } from './definition.ts';
import { diffOp, execOp, fileOp, mergeOp, sourceOp } from './ops.ts';
import type { Edge } from './vertex.ts';

function chain(length: number): Edge {
  let edge = sourceOp('https://example.com/x', {}, { name: 'start' });
  for (let i = 0; i < length; i++) {
    const directory = { path: `/${i}`, mode: 0o755, makeParents: true, timestamp: -1n };
    edge = fileOp(edge, [{ action: { case: 'mkdir', value: directory } }]);
  }
  return edge;
}

function shuffled(definition: Definition): Definition {
  const last = definition.def.at(-1);
  return create(DefinitionSchema, {
    ...definition,
    def: [...definition.def.slice(0, -1).toReversed(), ...(last ? [last] : [])],
  });
}

suite('definitions', () => {
  test('what is written is read again, names and places with it', () => {
    const edge = execOp({
      meta: { args: ['x'], cwd: '/' },
      mounts: [{ dest: '/', from: chain(2), isOutput: true }],
    });
    const read = readDefinition(marshalDefinition(edge));
    assert.deepEqual(
      read && verticesOf(read.vertex).map(({ digest, metadata }) => [digest, metadata.description['llb.customname']]),
      verticesOf(edge.vertex).map(({ digest, metadata }) => [digest, metadata.description['llb.customname']]),
    );
  });

  test('ops may come in any order, and what nobody needs is left out', () => {
    const edge = chain(5);
    const definition = shuffled(marshalDefinition(edge));
    definition.def.unshift(sourceOp('https://example.com/other', {}).vertex.bytes);
    const read = readDefinition(definition);
    assert.equal(read?.vertex.digest, edge.vertex.digest);
    assert.equal(read && verticesOf(read.vertex).length, 6);
  });

  test('a graph as deep as it is long is no danger', () => {
    const edge = chain(20_000);
    assert.equal(readDefinition(shuffled(marshalDefinition(edge)))?.vertex.digest, edge.vertex.digest);
  });

  test('an empty one is scratch', () => {
    assert.equal(readDefinition(create(DefinitionSchema)), undefined);
    assert.deepEqual(marshalDefinition(undefined).def, []);
  });

  test('broken ones are refused', () => {
    const op = (init: Parameters<typeof create<typeof OpSchema>>[1]) => toBinary(OpSchema, create(OpSchema, init));
    const source = { op: { case: 'source', value: { identifier: 'x://y' } } } as const;
    const missing = `sha256:${'0'.repeat(64)}`;
    const cases: [RegExp, Uint8Array[]][] = [
      [/does not end with the output/, [op(source)]],
      [/which is not in it/, [op({ inputs: [{ digest: missing, index: 0n }] })]],
      [/op 0 is broken/, [Buffer.from('ffffff', 'hex')]],
    ];
    for (const [why, def] of cases)
      assert.throws(() => readDefinition(create(DefinitionSchema, { def })), {
        code: 'invalid-argument',
        message: why,
      });
    const [first] = marshalDefinition(chain(0)).def;
    const digest = chain(0).vertex.digest;
    for (const index of [-1n, 1n << 40n]) {
      const def = [first ?? Buffer.alloc(0), op({ inputs: [{ digest, index }] })];
      assert.throws(() => readDefinition(create(DefinitionSchema, { def })), /no output/);
    }
  });
});

suite('ops', () => {
  test('an input that is used twice is one input', () => {
    const from = chain(0);
    const copy = { src: '/', dest: '/', mode: -1, timestamp: -1n };
    const { vertex } = fileOp(from, [{ from, action: { case: 'copy', value: copy } }]);
    assert.equal(vertex.inputs.length, 1);
  });

  test('scratch takes no part in merges and differences', () => {
    const edge = chain(1);
    assert.equal(mergeOp([undefined, edge]), edge);
    assert.equal(mergeOp([]), undefined);
    assert.equal(diffOp(undefined, edge), edge);
    assert.deepEqual(diffOp(edge, undefined)?.vertex.op.op.value, {
      $typeName: 'pb.DiffOp',
      lower: { $typeName: 'pb.LowerDiffInput', input: 0n },
      upper: { $typeName: 'pb.UpperDiffInput', input: -1n },
    });
  });
});
