import { invalidArgument } from '../../base/errors.ts';
import type { Field, Message, Scalar, Schema, ShapeOf } from './schema.ts';
import { depthLimit, wireType, wireTypeOf } from './wire.ts';
import { Writer } from './writer.ts';

type Values = Record<string, unknown>;

/**
 * A message's bytes: fields in the schema's order, maps in the order of their keys' bytes. That is the one form that has a
 * digest, as Go's `proto.MarshalOptions{Deterministic: true}` writes it.
 */
export function toBinary<S extends Schema>(schema: S, message: ShapeOf<S>): Uint8Array {
  const writer = new Writer();
  writeMessage(writer, schema, message as Message, 0);
  return writer.finish();
}

function writeMessage(writer: Writer, schema: Schema, message: Message, depth: number): void {
  if (depth > depthLimit) throw invalidArgument(`cannot write a ${schema.typeName}: it is too deep`);
  const values = message as unknown as Values;
  for (const field of schema.fields) {
    if (field.oneof !== undefined) {
      const { case: chosen, value } = values[field.oneof] as { case?: string; value?: unknown };
      if (chosen === field.name) writeOne(writer, field, value, depth);
      continue;
    }
    const value = values[field.name];
    if (value === undefined) continue;
    if (field.label === 'list') writeList(writer, field, value as readonly unknown[], depth);
    else if (field.label === 'map') writeMap(writer, field, value as Values, depth);
    else if (field.label === 'optional' || typeof field.type !== 'string' || !isDefault(value))
      writeOne(writer, field, value, depth);
  }
}

function isDefault(value: unknown): boolean {
  const isEmpty = value instanceof Uint8Array && value.length === 0;
  return isEmpty || value === '' || value === 0 || value === 0n || value === false;
}

function writeOne(writer: Writer, { number, type }: Field, value: unknown, depth: number): void {
  if (typeof type === 'string') {
    writer.tag(number, wireTypeOf(type));
    writeScalar(writer, type, value);
  } else {
    writer.tag(number, wireType.bytes);
    writer.nested(() => writeMessage(writer, type, value as Message, depth + 1));
  }
}

function writeList(writer: Writer, field: Field, values: readonly unknown[], depth: number): void {
  const { number, type } = field;
  if (values.length === 0) return;
  if (typeof type !== 'string' || wireTypeOf(type) === wireType.bytes) {
    for (const value of values) writeOne(writer, field, value, depth);
    return;
  }
  writer.tag(number, wireType.bytes);
  writer.nested(() => {
    for (const value of values) writeScalar(writer, type, value);
  });
}

function writeMap(writer: Writer, field: Field, values: Values, depth: number): void {
  const keys = Object.keys(values);
  if (keys.length > 1) keys.sort(field.key === 'int64' ? byNumber : byBytes);
  for (const key of keys) {
    writer.tag(field.number, wireType.bytes);
    // https://protobuf.dev/programming-guides/encoding/#maps: a message of a key and a value, both always written.
    writer.nested(() => {
      const type = field.key ?? 'string';
      writer.tag(1, wireTypeOf(type));
      writeScalar(writer, type, key);
      writeOne(writer, { ...field, number: 2 }, values[key], depth);
    });
  }
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const byNumber = (a: string, b: string) => Number(BigInt(a) - BigInt(b));

function writeScalar(writer: Writer, type: Scalar, value: unknown): void {
  writers[type](writer, value as never);
}

const writers: Readonly<Record<Scalar, (writer: Writer, value: never) => void>> = {
  string: (writer, value: string) => writer.text(value),
  bytes: (writer, value: Uint8Array) => writer.bytes(value),
  bool: (writer, value: boolean) => writer.uint32(value ? 1 : 0),
  int32: (writer, value: number) => writer.int32(value),
  enum: (writer, value: number) => writer.int32(value),
  uint32: (writer, value: number) => writer.uint32(value),
  sint32: (writer, value: number) => writer.uint32((value << 1) ^ (value >> 31)),
  int64: (writer, value: bigint) => writer.varint64(BigInt(value)),
  uint64: (writer, value: bigint) => writer.varint64(BigInt(value)),
  sint64: (writer, value: bigint) => writer.varint64((BigInt(value) << 1n) ^ (BigInt(value) >> 63n)),
  fixed32: (writer, value: number) => writer.fixed32(value),
  sfixed32: (writer, value: number) => writer.fixed32(value),
  fixed64: (writer, value: bigint) => writer.fixed64(BigInt(value)),
  sfixed64: (writer, value: bigint) => writer.fixed64(BigInt(value)),
  float: (writer, value: number) => writer.float(value),
  double: (writer, value: number) => writer.double(value),
};
