import {
  type Definition,
  DefinitionSchema,
  type Location,
  type LocationsSchema,
  OpMetadataSchema,
  OpSchema,
  SourceSchema,
} from '../api/gen/ops_pb.js';
import { create } from '../api/message/create.ts';
import { fromBinary } from '../api/message/decode.ts';
import { toBinary } from '../api/message/encode.ts';
import type { InitOf } from '../api/message/schema.ts';
import { type Digest, digestOf } from '../base/digest.ts';
import { errorMessage, invalidArgument } from '../base/errors.ts';
import type { Edge, Vertex } from './vertex.ts';

/** The user's file that a graph comes from, so that errors can point into it. */
export interface SourceFile {
  readonly filename: string;
  readonly data: Uint8Array;
  readonly language: string;
}

/** The graph as it travels: every op once, inputs before users, and last a bare op that names the wanted output. */
export function marshalDefinition(edge: Edge | undefined, source?: SourceFile): Definition {
  const definition = create(DefinitionSchema);
  if (!edge) return definition;
  const locations: Record<string, InitOf<typeof LocationsSchema>> = {};
  for (const vertex of verticesOf(edge.vertex)) {
    definition.def.push(vertex.bytes);
    definition.metadata[vertex.digest] = vertex.metadata;
    if (source && vertex.location) {
      const { startLine, endLine } = vertex.location;
      const range = { start: { line: startLine, character: 0 }, end: { line: endLine, character: 0 } };
      locations[vertex.digest] = { locations: [{ sourceIndex: 0, ranges: [range] }] };
    }
  }
  const last = create(OpSchema, { inputs: [{ digest: edge.vertex.digest, index: BigInt(edge.index) }] });
  definition.def.push(toBinary(OpSchema, last));
  definition.metadata[digestOf(definition.def.at(-1) ?? '')] = create(OpMetadataSchema);
  if (source) definition.Source = create(SourceSchema, { locations, infos: [{ ...source }] });
  return definition;
}

/** The vertices that the last one is made of, inputs first, each once. */
export function verticesOf(last: Vertex): Vertex[] {
  const order: Vertex[] = [];
  const seen = new Set<Digest>([last.digest]);
  const pending: { vertex: Vertex; next: number }[] = [{ vertex: last, next: 0 }];
  for (let top = pending.at(-1); top; top = pending.at(-1)) {
    const input = top.vertex.inputs[top.next++];
    if (!input) {
      order.push(top.vertex);
      pending.pop();
    } else if (!seen.has(input.vertex.digest)) {
      seen.add(input.vertex.digest);
      pending.push({ vertex: input.vertex, next: 0 });
    }
  }
  return order;
}

const opLimit = 200_000;

/** Reads a definition from a client: ops by the digests of their bytes, so that a cycle cannot be written. Undefined for an empty one (scratch). */
export function readDefinition(definition: Definition): Edge | undefined {
  if (definition.def.length === 0) return undefined;
  if (definition.def.length > opLimit)
    throw invalidArgument(`cannot read the definition: it has more than ${opLimit} ops`);
  const known = new Map<string, Vertex>();
  let last: Edge | undefined;
  for (const [i, bytes] of definition.def.entries()) {
    const op = parseOp(bytes, i);
    const inputs = op.inputs.map(({ digest, index }) => {
      const vertex = known.get(digest);
      if (!vertex)
        throw invalidArgument(
          `cannot read the definition: op ${i} names ${JSON.stringify(digest.slice(0, 80))}, which does not stand before it`,
        );
      return { vertex, index: Number(index) };
    });
    if (i === definition.def.length - 1 && op.op.case === undefined) {
      last = inputs[0];
      break;
    }
    const digest = digestOf(bytes);
    const metadata = definition.metadata[digest] ?? create(OpMetadataSchema);
    known.set(digest, {
      digest,
      bytes,
      op,
      inputs,
      metadata,
      location: locationOf(definition.Source?.locations[digest]?.locations),
    });
  }
  if (!last) throw invalidArgument('cannot read the definition: it does not end with the output that is wanted');
  return last;
}

function parseOp(bytes: Uint8Array, i: number) {
  try {
    return fromBinary(OpSchema, bytes);
  } catch (error) {
    throw invalidArgument(`cannot read the definition: op ${i} is broken: ${errorMessage(error)}`);
  }
}

function locationOf(locations: readonly Location[] | undefined): Vertex['location'] {
  const range = locations?.[0]?.ranges[0];
  return range?.start && range.end ? { startLine: range.start.line, endLine: range.end.line } : undefined;
}
