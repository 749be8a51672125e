import { type Edge as GraphEdge, type Vertex as GraphVertex, vertexName } from '../graph/vertex.ts';
import type { Edge, Vertex } from '../solver/vertex.ts';

/** The solver's view of LLB vertices, and the way back for those who make ops. */
export class SolverVertices {
  readonly #graphVertices = new WeakMap<Vertex, GraphVertex>();
  readonly #views = new WeakMap<GraphVertex, Vertex>();

  edge({ vertex, index }: GraphEdge): Edge {
    return { vertex: this.#view(vertex), index };
  }

  graphVertexOf(vertex: Vertex): GraphVertex {
    const found = this.#graphVertices.get(vertex);
    if (!found) throw new Error(`vertex "${vertex.name}" does not come from a definition`);
    return found;
  }

  /** Inputs first, without recursion: definitions may be deep. */
  #view(last: GraphVertex): Vertex {
    const pending = [last];
    for (let next = pending.at(-1); next; next = pending.at(-1)) {
      const missing = next.inputs.filter((input) => !this.#views.has(input.vertex)).map((input) => input.vertex);
      if (missing.length > 0) {
        pending.push(...missing);
        continue;
      }
      pending.pop();
      if (!this.#views.has(next)) this.#add(next);
    }
    const view = this.#views.get(last);
    if (!view) throw new Error('unreachable: the vertex was just added');
    return view;
  }

  #add(vertex: GraphVertex): void {
    const inputs = vertex.inputs.flatMap(({ vertex: input, index }) => {
      const view = this.#views.get(input);
      return view ? [{ vertex: view, index }] : [];
    });
    const { ignoreCache, progressGroup } = vertex.metadata;
    const group = progressGroup && { id: progressGroup.id, name: progressGroup.name, weak: progressGroup.weak };
    const view: Vertex = { digest: vertex.digest, name: vertexName(vertex), inputs, ignoreCache, progressGroup: group };
    this.#views.set(vertex, view);
    this.#graphVertices.set(view, vertex);
  }
}
