import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { StatusResponseSchema } from '../gen/control_pb.js';
import { OpSchema } from '../gen/ops_pb.js';
import { create } from './create.ts';
import { fromBinary } from './decode.ts';
import { toBinary } from './encode.ts';
import { list, type Message, map, optional, Schema } from './schema.ts';
import { anyPack, timestampFromMs, timestampMs } from './well-known.ts';

type Sample = Message<'test.Sample'> & {
  text: string;
  flag: boolean;
  small: number;
  wide: bigint;
  zigzag: bigint;
  maybe?: number;
  many: number[];
  names: string[];
  inside?: Sample;
  byNumber: { [key: string]: string };
  byName: { [key: string]: Sample };
  ratio: number;
  bytes: Uint8Array;
  choice: { case: 'left'; value: string } | { case: 'right'; value: Sample } | { case: undefined; value?: undefined };
};

const SampleSchema: Schema<Sample> = new Schema<Sample>('test.Sample', () => [
  [1, 'text', 'string'],
  [2, 'flag', 'bool'],
  [3, 'small', 'int32'],
  [4, 'wide', 'int64'],
  [5, 'zigzag', 'sint64'],
  [6, 'maybe', optional('uint32')],
  [7, 'many', list('int32')],
  [8, 'names', list('string')],
  [9, 'inside', SampleSchema],
  [10, 'byNumber', map('string', 'int64')],
  [11, 'byName', map(SampleSchema)],
  [12, 'ratio', 'double'],
  [13, 'bytes', 'bytes'],
  [14, 'left', 'string', 'choice'],
  [200, 'right', SampleSchema, 'choice'],
]);

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const again = (message: Sample) => fromBinary(SampleSchema, toBinary(SampleSchema, message));

suite('messages as bytes', () => {
  test('defaults are not written, and come back', () => {
    const empty = create(SampleSchema);
    assert.equal(toBinary(SampleSchema, empty).length, 0);
    assert.deepEqual(again(empty), empty);
    assert.equal(empty.text, '');
    assert.equal(empty.wide, 0n);
    assert.deepEqual(empty.choice, { case: undefined });
    assert.equal('maybe' in empty, false);
  });

  test('every kind of field goes there and back', () => {
    const message = create(SampleSchema, {
      text: 'größer 🚢',
      flag: true,
      small: -5,
      wide: -(2n ** 63n),
      zigzag: -3n,
      maybe: 0,
      many: [1, -1, 300, 2 ** 31 - 1],
      names: ['', 'a'],
      inside: { text: 'x'.repeat(200), inside: { small: 7 } },
      byNumber: { '-2': 'minus', '10': 'ten' },
      byName: { b: { small: 1 }, a: {} },
      ratio: -0.5,
      bytes: new Uint8Array([0, 255]),
      choice: { case: 'right', value: { wide: 2n ** 62n } },
    });
    assert.deepEqual(again(message), message);
    assert.equal(message.inside?.inside?.small, 7);
  });

  test('the bytes are those of the wire format, written out by hand', () => {
    assert.equal(hexOf(toBinary(SampleSchema, create(SampleSchema, { text: 'hi', small: 150 }))), '0a026869189601');
    assert.equal(hexOf(toBinary(SampleSchema, create(SampleSchema, { small: -1 }))), '18ffffffffffffffffff01');
    assert.equal(hexOf(toBinary(SampleSchema, create(SampleSchema, { many: [1, 300] }))), '3a0301ac02');
    const source = create(OpSchema, {
      op: { case: 'source', value: { identifier: 'docker-image://x' } },
      constraints: {},
    });
    const identifier = Buffer.from('docker-image://x').toString('hex');
    // As Go does, the members of a oneof come last.
    assert.equal(hexOf(toBinary(OpSchema, source)), `5a001a120a10${identifier}`);
  });

  for (const length of [0, 1, 127, 128, 16_383, 16_384, 2_100_000]) {
    test(`a message inside of ${length} bytes`, () => {
      const message = create(SampleSchema, { inside: { bytes: new Uint8Array(length).fill(7) } });
      assert.deepEqual(again(message), message);
    });
  }

  test('maps are written in the order of their keys’ bytes, whatever order they were set in', () => {
    const of = (byName: Record<string, object>) => hexOf(toBinary(SampleSchema, create(SampleSchema, { byName })));
    assert.equal(of({ b: {}, a: {}, é: {}, '10': {}, '9': {} }), of({ '9': {}, é: {}, a: {}, '10': {}, b: {} }));
  });

  test('a number that needs all its bits', () => {
    for (const wide of [1n, 127n, 128n, 2n ** 31n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n - 1n, -1n])
      assert.equal(again(create(SampleSchema, { wide })).wide, wide);
  });

  test('fields that nobody knows are passed over, groups among them', () => {
    const known = toBinary(SampleSchema, create(SampleSchema, { text: 'hi' }));
    const unknown = Buffer.from('9a0601ff9d06000000009906000000000000000093060a0141940698064d', 'hex');
    assert.equal(fromBinary(SampleSchema, Buffer.concat([unknown, known])).text, 'hi');
  });

  test('a list of numbers may come one by one', () => {
    assert.deepEqual(fromBinary(SampleSchema, Buffer.from('380138ac02', 'hex')).many, [1, 300]);
  });

  test('a message that comes in parts is put together', () => {
    const part = (inside: object) => toBinary(SampleSchema, create(SampleSchema, { inside }));
    const { inside } = fromBinary(SampleSchema, Buffer.concat([part({ text: 'a' }), part({ small: 2 })]));
    assert.equal(inside?.text, 'a');
    assert.equal(inside?.small, 2);
  });

  test('what is a message already stays the same one', () => {
    const inside = create(SampleSchema, { text: 'x' });
    assert.equal(create(SampleSchema, { inside }).inside, inside);
    assert.equal(create(SampleSchema, inside), inside);
  });
});

suite('bytes made to break the reader', () => {
  const broken: readonly (readonly [name: string, hex: string])[] = [
    ['text longer than the message', '0a05aa'],
    ['a length of 4 GiB', '0affffffff0f'],
    ['a number without an end', '18ff'],
    ['a number of eleven bytes', '18ffffffffffffffffffff01'],
    ['field number 0', '0001'],
    ['an unknown wire type', '9f0601'],
    ['a group without an end', '930601'],
    ['a group that ends as another one', '9306a406'],
    ['a message inside that is cut', '4a050a'],
  ];
  for (const [name, hex] of broken)
    test(name, () =>
      assert.throws(() => fromBinary(SampleSchema, Buffer.from(hex, 'hex')), { code: 'invalid-argument' }),
    );

  test('messages a thousand deep', () => {
    let bytes: Uint8Array = new Uint8Array(0);
    const length = (size: number) => (size < 128 ? [size] : [(size & 127) | 128, size >> 7]);
    for (let i = 0; i < 1000; i++) bytes = Buffer.concat([Buffer.from([0x4a, ...length(bytes.length)]), bytes]);
    assert.throws(() => fromBinary(SampleSchema, bytes), /too deep/);
  });

  test('a key named __proto__ is a key', () => {
    const entry = Buffer.concat([Buffer.from([0x0a, 9]), Buffer.from('__proto__'), Buffer.from([0x12, 0])]);
    const { byName } = fromBinary(SampleSchema, Buffer.concat([Buffer.from([0x5a, entry.length]), entry]));
    assert.deepEqual(Object.keys(byName), ['__proto__']);
    assert.equal(Object.getPrototypeOf(byName), Object.prototype);
  });
});

suite('what every protocol shares', () => {
  test('times', () => {
    assert.equal(timestampMs(timestampFromMs(1_795_455_012_345)), 1_795_455_012_345);
    assert.deepEqual(
      { ...timestampFromMs(-1) },
      { $typeName: 'google.protobuf.Timestamp', seconds: -1n, nanos: 999_000_000 },
    );
  });

  test('a message in an envelope', () => {
    const status = create(StatusResponseSchema, { vertexes: [{ digest: 'sha256:a', name: 'step' }] });
    const { typeUrl, value } = anyPack(StatusResponseSchema, status);
    assert.equal(typeUrl, 'type.googleapis.com/moby.buildkit.v1.StatusResponse');
    assert.equal(fromBinary(StatusResponseSchema, value).vertexes[0]?.name, 'step');
  });
});
