import { clone, type DescMessage, type Message, type MessageShape, toBinary } from '@bufbuild/protobuf';

/**
 * The one form of a message that has a digest: fields in the order of their numbers and map keys sorted by their bytes, as Go's
 * `proto.MarshalOptions{Deterministic: true}` writes it. Map keys that look like array indexes (`"10"`) cannot be ordered; LLB
 * has none.
 */
export function marshalDeterministic<D extends DescMessage>(schema: D, message: MessageShape<D>): Uint8Array {
  const copy = clone(schema, message);
  sortMaps(schema, copy);
  return toBinary(schema, copy);
}

function sortMaps(schema: DescMessage, message: Message): void {
  const values = message as unknown as Record<string, unknown>;
  for (const field of schema.fields) {
    const value = field.oneof ? oneofValue(values[field.oneof.localName], field.localName) : values[field.localName];
    if (value === undefined || value === null) continue;
    if (field.fieldKind === 'map') {
      const sorted = sortEntries(value as Record<string, unknown>);
      values[field.localName] = sorted;
      if (field.mapKind === 'message') sortEach(field.message, Object.values(sorted));
    } else if (field.fieldKind === 'list') {
      if (field.listKind === 'message') sortEach(field.message, value as unknown[]);
    } else if (field.fieldKind === 'message') {
      sortEach(field.message, [value]);
    }
  }
}

function sortEach(schema: DescMessage, messages: readonly unknown[]): void {
  for (const message of messages) sortMaps(schema, message as Message);
}

function oneofValue(oneof: unknown, name: string): unknown {
  const { case: chosen, value } = oneof as { case?: string; value?: unknown };
  return chosen === name ? value : undefined;
}

function sortEntries(map: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(map);
  if (entries.length < 2) return map;
  return Object.fromEntries(entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
}
