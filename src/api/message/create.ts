import type { Field, InitOf, Message, Schema, ShapeOf } from './schema.ts';

type Values = Record<string, unknown>;

/** A message with the given fields, the others at their defaults. A message of that type stays what it is. */
export function create<S extends Schema>(schema: S, init?: InitOf<S>): ShapeOf<S>;
export function create(schema: Schema, init: unknown = {}): Message {
  const given = init as Values;
  if (given.$typeName === schema.typeName) return init as Message;
  const message = emptyMessage(schema);
  const values = message as unknown as Values;
  for (const field of schema.fields) {
    if (field.oneof !== undefined) fillOneof(values, field, field.oneof, given[field.oneof]);
    else if (given[field.name] !== undefined && given[field.name] !== null)
      values[field.name] = convert(field, given[field.name]);
  }
  return message;
}

function fillOneof(values: Values, field: Field, oneof: string, given: unknown): void {
  const { case: chosen, value } = (given ?? {}) as { case?: string; value?: unknown };
  if (chosen === field.name) values[oneof] = { case: chosen, value: convertOne(field.type, value) };
}

function convert({ label, type }: Field, value: unknown): unknown {
  if (label === 'list') return (value as readonly unknown[]).map((each) => convertOne(type, each));
  if (label === 'map')
    return Object.fromEntries(Object.entries(value as Values).map(([key, each]) => [key, convertOne(type, each)]));
  return convertOne(type, value);
}

function convertOne(type: Field['type'], value: unknown): unknown {
  return typeof type === 'string' ? value : create(type, value as Values & Message);
}

/** A message with all its fields at their defaults. */
export function emptyMessage(schema: Schema): Message {
  const message: Values = { $typeName: schema.typeName };
  for (const field of schema.fields) {
    if (field.oneof !== undefined) message[field.oneof] = { case: undefined };
    else if (field.label !== 'optional' && (field.label !== 'single' || typeof field.type === 'string'))
      message[field.name] = defaultOf(field);
  }
  return message as unknown as Message;
}

const noBytes = new Uint8Array(0);

function defaultOf({ label, type }: Field): unknown {
  if (label === 'list') return [];
  if (label === 'map') return {};
  switch (type) {
    case 'string':
      return '';
    case 'bytes':
      return noBytes;
    case 'bool':
      return false;
    case 'int64':
    case 'uint64':
    case 'sint64':
    case 'fixed64':
    case 'sfixed64':
      return 0n;
    default:
      return 0;
  }
}
