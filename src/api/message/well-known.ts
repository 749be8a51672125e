import { create } from './create.ts';
import { toBinary } from './encode.ts';
import { list, type Message, Schema, type ShapeOf } from './schema.ts';

/** Of `google/protobuf/*.proto`, those that the field's protocols use. */
export type Timestamp = Message<'google.protobuf.Timestamp'> & { seconds: bigint; nanos: number };
export type Any = Message<'google.protobuf.Any'> & { typeUrl: string; value: Uint8Array };
export type Empty = Message<'google.protobuf.Empty'>;
export type FieldMask = Message<'google.protobuf.FieldMask'> & { paths: string[] };

export const TimestampSchema = new Schema<Timestamp>('google.protobuf.Timestamp', () => [
  [1, 'seconds', 'int64'],
  [2, 'nanos', 'int32'],
]);
export const AnySchema = new Schema<Any>('google.protobuf.Any', () => [
  [1, 'typeUrl', 'string'],
  [2, 'value', 'bytes'],
]);
export const EmptySchema = new Schema<Empty>('google.protobuf.Empty', () => []);
export const FieldMaskSchema = new Schema<FieldMask>('google.protobuf.FieldMask', () => [[1, 'paths', list('string')]]);

/** Milliseconds since 1970, whole or in parts. */
export function timestampFromMs(milliseconds: number): Timestamp {
  const seconds = Math.floor(milliseconds / 1000);
  const nanos = Math.round((milliseconds - seconds * 1000) * 1e6);
  return create(TimestampSchema, { seconds: BigInt(seconds), nanos });
}

export function timestampFromDate(date: Date): Timestamp {
  return timestampFromMs(date.getTime());
}

/** Milliseconds since 1970. */
export function timestampMs({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}

export function timestampDate(timestamp: Timestamp): Date {
  return new Date(Math.floor(timestampMs(timestamp)));
}

/** A message in an envelope that says its type. */
export function anyPack<S extends Schema>(schema: S, message: ShapeOf<S>): Any {
  return create(AnySchema, {
    typeUrl: `type.googleapis.com/${schema.typeName}`,
    value: toBinary(schema, message),
  });
}
