import type { Digest } from '../base/digest.ts';

/** One output of a vertex. */
export interface Edge {
  readonly vertex: Vertex;
  readonly index: number;
}

/** What the solver knows of a step: who it is, what it needs, whether old results count. The work itself is the op's. */
export interface Vertex {
  /** Digest of the marshalled op, which names its inputs by their digests. */
  readonly digest: Digest;
  /** What progress shows. */
  readonly name: string;
  readonly inputs: readonly Edge[];
  /** The user wants it run again (`--no-cache`). */
  readonly ignoreCache: boolean;
  readonly progressGroup?: ProgressGroup | undefined;
}

export interface ProgressGroup {
  readonly id: string;
  readonly name: string;
  readonly weak: boolean;
}

/** The vertices from which the given one is made, inputs before users, itself last; each once. What is not wanted is left out with what is beneath it. */
export function topologicalOrder(last: Vertex, wanted: (vertex: Vertex) => boolean = () => true): Vertex[] {
  const order: Vertex[] = [];
  const seen = new Set<Vertex>();
  // An explicit stack: definitions come from clients and may be deeper than the call stack.
  const pending: { vertex: Vertex; next: number }[] = [{ vertex: last, next: 0 }];
  seen.add(last);
  for (let top = pending.at(-1); top; top = pending.at(-1)) {
    const input = top.vertex.inputs[top.next++];
    if (!input) {
      order.push(top.vertex);
      pending.pop();
    } else if (!seen.has(input.vertex) && wanted(input.vertex)) {
      seen.add(input.vertex);
      pending.push({ vertex: input.vertex, next: 0 });
    }
  }
  return order;
}
