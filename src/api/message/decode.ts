import { invalidArgument } from '../../base/errors.ts';
import { emptyMessage } from './create.ts';
import { Reader } from './reader.ts';
import type { Field, Message, Scalar, Schema, ShapeOf } from './schema.ts';
import { depthLimit, wireType, wireTypeOf } from './wire.ts';

type Values = Record<string, unknown>;

/** Reads a message. Fields that the schema does not know are left out. Throws invalid-argument when the bytes are no such message. */
export function fromBinary<S extends Schema>(schema: S, bytes: Uint8Array): ShapeOf<S> {
  const message = emptyMessage(schema);
  readMessage(new Reader(bytes), schema, message, 0);
  return message as ShapeOf<S>;
}

function readMessage(reader: Reader, schema: Schema, message: Message, depth: number): void {
  if (depth > depthLimit) throw invalidArgument(`cannot read a ${schema.typeName}: it is too deep`);
  const values = message as unknown as Values;
  while (reader.at < reader.end) {
    const tag = reader.uint32();
    const number = tag >>> 3;
    const type = tag & 7;
    if (number === 0) throw invalidArgument('a field has the number 0');
    const field = schema.field(number);
    if (field && type === expectedType(field)) readField(reader, field, values, depth);
    else if (field?.label === 'list' && type === wireType.bytes) readPacked(reader, field, values);
    else reader.skip(type, number);
  }
}

function expectedType({ type, label }: Field): number {
  return label === 'map' || typeof type !== 'string' ? wireType.bytes : wireTypeOf(type);
}

function readField(reader: Reader, field: Field, values: Values, depth: number): void {
  const { name, oneof, label } = field;
  if (label === 'list') {
    (values[name] as unknown[]).push(readOne(reader, field, undefined, depth));
  } else if (label === 'map') {
    readEntry(reader.nested(), field, values[name] as Values, depth);
  } else if (oneof !== undefined) {
    const { case: chosen, value } = values[oneof] as { case?: string; value?: unknown };
    values[oneof] = { case: name, value: readOne(reader, field, chosen === name ? value : undefined, depth) };
  } else {
    values[name] = readOne(reader, field, values[name], depth);
  }
}

/** A message that comes in parts is put together: `earlier` is what came before. */
function readOne(reader: Reader, { type }: Field, earlier: unknown, depth: number): unknown {
  if (typeof type === 'string') return readScalar(reader, type);
  const message = earlier === undefined ? emptyMessage(type) : (earlier as Message);
  readMessage(reader.nested(), type, message, depth + 1);
  return message;
}

function readPacked(reader: Reader, { name, type }: Field, values: Values): void {
  const packed = reader.nested();
  reader.at = packed.end;
  const list = values[name] as unknown[];
  while (packed.at < packed.end) list.push(readScalar(packed, type as Scalar));
}

function readEntry(reader: Reader, field: Field, values: Values, depth: number): void {
  const { type } = field;
  const keyType = wireTypeOf(field.key ?? 'string');
  let key = field.key === 'int64' ? '0' : '';
  let value: unknown;
  while (reader.at < reader.end) {
    const tag = reader.uint32();
    if (tag === ((1 << 3) | keyType)) key = `${readScalar(reader, field.key ?? 'string')}`;
    else if (tag >>> 3 === 2 && (tag & 7) === expectedType({ ...field, label: 'single' }))
      value = readOne(reader, field, undefined, depth);
    else reader.skip(tag & 7, tag >>> 3);
  }
  value ??= typeof type === 'string' ? emptyScalar(type) : emptyMessage(type);
  // Also for a key such as `__proto__`, which an assignment would take for something else.
  Object.defineProperty(values, key, { value, enumerable: true, configurable: true, writable: true });
}

function emptyScalar(type: Scalar): unknown {
  if (type === 'string') return '';
  return type === 'bytes' ? new Uint8Array(0) : readScalar(new Reader(new Uint8Array(8)), type);
}

function readScalar(reader: Reader, type: Scalar): unknown {
  return readers[type](reader);
}

const readers: Readonly<Record<Scalar, (reader: Reader) => unknown>> = {
  string: (reader) => reader.text(),
  bytes: (reader) => reader.bytes(),
  bool: (reader) => reader.bool(),
  int32: (reader) => reader.int32(),
  enum: (reader) => reader.int32(),
  uint32: (reader) => reader.uint32(),
  sint32: (reader) => {
    const value = reader.uint32();
    return (value >>> 1) ^ -(value & 1);
  },
  int64: (reader) => reader.int64(),
  uint64: (reader) => reader.uint64(),
  sint64: (reader) => {
    const value = reader.uint64();
    return (value >> 1n) ^ -(value & 1n);
  },
  fixed32: (reader) => reader.fixed32(),
  sfixed32: (reader) => reader.sfixed32(),
  fixed64: (reader) => reader.fixed64(),
  sfixed64: (reader) => reader.sfixed64(),
  float: (reader) => reader.float(),
  double: (reader) => reader.double(),
};
