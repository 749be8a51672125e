import {
  type Definition,
  DefinitionSchema,
  type Input,
  type Location,
  type LocationsSchema,
  type Op,
  OpMetadataSchema,
  OpSchema,
  type SourceInfoSchema,
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
  /** Where it was read from. */
  readonly origin?: Edge | undefined;
}

/** As BuildKit's clients want it in errors and definitions. */
export function sourceInfo({ origin, ...file }: SourceFile): InitOf<typeof SourceInfoSchema> {
  return origin ? { ...file, definition: marshalDefinition(origin) } : file;
}

/** No step is longer; what a client says may be. */
const lineLimit = 10_000;

/** One range a line, as BuildKit has them. */
export function lineRanges({ startLine, endLine }: { readonly startLine: number; readonly endLine: number }) {
  const length = Math.min(lineLimit, Math.max(1, endLine - startLine + 1));
  return Array.from({ length }, (_, i) => {
    const position = { line: startLine + i, character: 0 };
    return { start: position, end: position };
  });
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
      locations[vertex.digest] = { locations: [{ sourceIndex: 0, ranges: lineRanges(vertex.location) }] };
    }
  }
  const last = create(OpSchema, { inputs: [{ digest: edge.vertex.digest, index: BigInt(edge.index) }] });
  definition.def.push(toBinary(OpSchema, last));
  definition.metadata[digestOf(definition.def.at(-1) ?? '')] = create(OpMetadataSchema);
  if (source) definition.Source = create(SourceSchema, { locations, infos: [sourceInfo(source)] });
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
const inputLimit = 100_000;

/**
 * Reads a definition from a client: ops by the digests of their bytes, so that a cycle cannot be written; in any order. The answer
 * holds what the wanted output needs; undefined for an empty definition (scratch).
 */
export function readDefinition(definition: Definition): Edge | undefined {
  const { def } = definition;
  if (def.length === 0) return undefined;
  if (def.length > opLimit) throw definitionError(`it has more than ${opLimit} ops`);
  const ops = new Map<string, ReadOp>();
  for (const [i, bytes] of def.entries()) {
    const digest = digestOf(bytes);
    ops.set(digest, { digest, bytes, op: parseOp(bytes, i), i });
  }
  const last = ops.get(digestOf(def.at(-1) ?? ''));
  const [wanted] = last?.op.op.case === undefined ? (last?.op.inputs ?? []) : [];
  if (!wanted) throw definitionError('it does not end with the output that is wanted');
  return new DefinitionReader(definition, ops).edge(wanted, 'its end');
}

/** Likewise for states by their names, none of which may be empty. */
export function readDefinitions(definitions: Readonly<Record<string, Definition>>): Map<string, Edge | undefined> {
  return new Map(
    Object.entries(definitions).map(([name, definition]) => {
      if (definition.def.length === 0)
        throw invalidArgument(
          `cannot use the input ${JSON.stringify(name)}: invalid nil input definition to definition op`,
        );
      return [name, readDefinition(definition)];
    }),
  );
}

interface ReadOp {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly op: Op;
  readonly i: number;
}

class DefinitionReader {
  readonly #definition: Definition;
  readonly #ops: ReadonlyMap<string, ReadOp>;
  readonly #vertices = new Map<string, Vertex>();

  constructor(definition: Definition, ops: ReadonlyMap<string, ReadOp>) {
    this.#definition = definition;
    this.#ops = ops;
  }

  /** Without recursion: a definition may be as deep as it is long. */
  edge(wanted: Input, from: string): Edge {
    const pending = [this.#find(wanted, from)];
    for (let next = pending.at(-1); next; next = pending.at(-1)) {
      const { op, i, digest } = next;
      const missing = this.#vertices.has(digest) ? [] : op.inputs.filter((input) => !this.#vertices.has(input.digest));
      for (const input of missing) pending.push(this.#find(input, `op ${i}`));
      if (missing.length > 0) continue;
      pending.pop();
      if (!this.#vertices.has(digest)) this.#add(next);
    }
    return this.#edgeTo(wanted);
  }

  #find({ digest }: Input, from: string): ReadOp {
    const found = this.#ops.get(digest);
    if (!found) throw definitionError(`${from} names ${JSON.stringify(digest.slice(0, 80))}, which is not in it`);
    return found;
  }

  #add({ digest, bytes, op, i }: ReadOp): void {
    if (op.op.case === undefined) throw definitionError(`op ${i} says nothing to do`);
    const metadata = this.#definition.metadata[digest] ?? create(OpMetadataSchema);
    const inputs = op.inputs.map((input) => this.#edgeTo(input));
    const location = locationOf(this.#definition.Source?.locations[digest]?.locations);
    this.#vertices.set(digest, { digest, bytes, op, inputs, metadata, location });
  }

  #edgeTo({ digest, index }: Input): Edge {
    const vertex = this.#vertices.get(digest);
    if (!vertex || index < 0n || index > inputLimit) throw definitionError(`there is no output ${index} of an op`);
    return { vertex, index: Number(index) };
  }
}

function parseOp(bytes: Uint8Array, i: number): Op {
  try {
    return fromBinary(OpSchema, bytes);
  } catch (error) {
    throw definitionError(`op ${i} is broken: ${errorMessage(error)}`);
  }
}

function definitionError(why: string): Error {
  return invalidArgument(`cannot read the definition: ${why}`);
}

function locationOf(locations: readonly Location[] | undefined): Vertex['location'] {
  const ranges = locations?.[0]?.ranges.slice(0, lineLimit) ?? [];
  const lines = ranges.flatMap(({ start, end }) => (start && end ? [start.line, end.line] : []));
  return lines.length > 0 ? { startLine: Math.min(...lines), endLine: Math.max(...lines) } : undefined;
}
