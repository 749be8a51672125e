import { type Op, type OpMetadata, OpMetadataSchema, OpSchema } from '../api/gen/ops_pb.js';
import { create } from '../api/message/create.ts';
import { toBinary } from '../api/message/encode.ts';
import type { InitOf } from '../api/message/schema.ts';
import { type Digest, digestOf } from '../base/digest.ts';

/** One output of a vertex. */
export interface Edge {
  readonly vertex: Vertex;
  readonly index: number;
}

/** An op with its inputs; its digest covers both. Immutable. */
export interface Vertex {
  readonly digest: Digest;
  /** The op as it is digested. */
  readonly bytes: Uint8Array;
  readonly op: Op;
  readonly inputs: readonly Edge[];
  /** What does not change identity: names, limits, `--no-cache`. */
  readonly metadata: OpMetadata;
  /** Where in the user's file it comes from. */
  readonly location?: VertexLocation | undefined;
}

export interface VertexLocation {
  readonly startLine: number;
  readonly endLine: number;
}

export type OpInit = Omit<InitOf<typeof OpSchema>, 'inputs' | '$typeName' | '$unknown'>;

export interface VertexOptions {
  /** Shown by progress. */
  readonly name?: string | undefined;
  readonly description?: Readonly<Record<string, string>> | undefined;
  readonly ignoreCache?: boolean | undefined;
  readonly progressGroup?: { readonly id: string; readonly name: string; readonly weak?: boolean } | undefined;
  readonly resources?: OpMetadata['linuxResources'];
  readonly location?: VertexLocation | undefined;
}

/** Makes a vertex: marshals the op with its inputs' digests and digests that. */
export function makeVertex(init: OpInit, inputs: readonly Edge[], options: VertexOptions = {}): Vertex {
  const op = create(OpSchema, {
    // Go's client always writes it, so equal ops have equal digests.
    constraints: {},
    ...init,
    inputs: inputs.map(({ vertex, index }) => ({ digest: vertex.digest, index: BigInt(index) })),
  });
  const bytes = toBinary(OpSchema, op);
  const description = {
    ...options.description,
    ...(options.name === undefined ? {} : { 'llb.customname': options.name }),
  };
  const metadata = create(OpMetadataSchema, {
    ignoreCache: options.ignoreCache === true,
    description,
    ...(options.progressGroup ? { progressGroup: options.progressGroup } : {}),
    ...(options.resources ? { linuxResources: options.resources } : {}),
  });
  return { digest: digestOf(bytes), bytes, op, inputs, metadata, location: options.location };
}

/** What progress calls a vertex: its given name, or what its op says. */
export function vertexName({ op, metadata, digest }: Vertex): string {
  const given = metadata.description['llb.customname'];
  if (given !== undefined) return given;
  switch (op.op.case) {
    case 'source':
      return op.op.value.identifier;
    case 'exec':
      return op.op.value.meta?.args.join(' ') ?? 'exec';
    case 'file':
      return op.op.value.actions.map(({ action }) => fileActionName(action)).join(', ');
    case undefined:
      return digest;
    default:
      return op.op.case;
  }
}

function fileActionName(action: Extract<Op['op'], { case: 'file' }>['value']['actions'][number]['action']): string {
  switch (action.case) {
    case 'copy':
      return `copy ${action.value.src} ${action.value.dest}`;
    case 'mkfile':
      return `mkfile ${action.value.path}`;
    case 'mkdir':
      return `mkdir ${action.value.path}`;
    case 'rm':
      return `rm ${action.value.path}`;
    case 'symlink':
      return `symlink ${action.value.oldpath} -> ${action.value.newpath}`;
    case undefined:
      return 'nothing';
  }
}
