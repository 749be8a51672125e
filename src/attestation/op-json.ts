import type { Op } from '../api/gen/ops_pb.js';
import { OpSchema } from '../api/gen/ops_pb.js';
import { create } from '../api/message/create.ts';
import type { Field, Schema } from '../api/message/schema.ts';
import { hideSecret, maskCredentials } from '../base/scrub.ts';

type Json = string | number | boolean | Json[] | { [key: string]: Json };
type Values = Readonly<Record<string, unknown>>;

/** Oneofs that BuildKit writes as an object of their own. */
const oneofKeys: Readonly<Record<string, string>> = { op: 'Op', action: 'Action', user: 'User' };
const memberKeys: Readonly<Record<string, string>> = { byID: 'byId' };
/** Fields that BuildKit writes though they are zero. */
const alwaysWritten: ReadonlySet<string> = new Set(
  ['input', 'secondaryInput', 'output'].map((name) => `pb.FileAction.${name}`),
);
/** Attributes that say where a client was, not what was built. */
const sessionAttributes: ReadonlySet<string> = new Set(['local.session', 'local.unique', 'oci.session']);

/** An op as BuildKit's provenance has it: its inputs are named elsewhere, values that are secret by their names are left out. */
export function opJson(op: Op): Json {
  return messageJson(OpSchema, create(OpSchema, { ...scrubbed(op), inputs: [] }) as unknown as Values);
}

function scrubbed(op: Op): Op {
  const { op: kind } = op;
  if (kind.case === 'source') {
    const { identifier, attrs } = kind.value;
    const kept = Object.entries(attrs).filter(([name]) => !sessionAttributes.has(name));
    const value = {
      ...kind.value,
      identifier: maskCredentials(identifier),
      attrs: Object.fromEntries(kept.map(([name, text]) => [name, maskCredentials(text)])),
    };
    return { ...op, op: { case: 'source', value } };
  }
  if (kind.case !== 'exec' || !kind.value.meta) return op;
  const env = kind.value.meta.env.map((variable) => {
    const name = variable.split('=', 1)[0] ?? '';
    return `${name}=${hideSecret(name, variable.slice(name.length + 1))}`;
  });
  return { ...op, op: { case: 'exec', value: { ...kind.value, meta: { ...kind.value.meta, env } } } };
}

/** A message as Go's encoding/json writes it: names of the schema, zero values left out, bytes in base64. */
export function messageJson(schema: Schema, message: Values): { [key: string]: Json } {
  const json: { [key: string]: Json } = {};
  for (const field of inOrder(schema)) {
    if (field.oneof !== undefined) {
      const key = oneofKeys[field.oneof] ?? field.oneof;
      const { case: chosen, value } = message[field.oneof] as { case?: string; value?: unknown };
      const inner = json[key] ?? {};
      json[key] = inner;
      if (chosen === field.name && !isZero(value))
        (inner as { [key: string]: Json })[memberKeys[field.name] ?? field.name] = one(field.type, value);
      continue;
    }
    const value = message[field.name];
    if (isZero(value) && !alwaysWritten.has(`${schema.typeName}.${field.name}`)) continue;
    json[field.name] = fieldJson(field, value);
  }
  return json;
}

/** By number: oneofs stand where their first member does. */
function inOrder(schema: Schema): readonly Field[] {
  return schema.fields.toSorted((a, b) => a.number - b.number);
}

function fieldJson({ label, type }: Field, value: unknown): Json {
  if (label === 'list') return (value as readonly unknown[]).map((each) => one(type, each));
  if (label !== 'map') return one(type, value);
  const entries = Object.entries(value as Values).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, one(type, each)]));
}

function one(type: Field['type'], value: unknown): Json {
  if (typeof type !== 'string') return messageJson(type, value as Values);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return typeof value === 'bigint' ? Number(value) : (value as Json);
}

function isZero(value: unknown): boolean {
  if (value === undefined || value === '' || value === 0 || value === 0n || value === false) return true;
  if (value instanceof Uint8Array || Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && value !== null && !('$typeName' in value) && Object.keys(value).length === 0;
}
