import { createHash } from 'node:crypto';
import { abortable, createLimiter } from '../base/async.ts';
import type { CacheStore } from './cache-store.ts';
import { type Interest, Node, type NodeHost } from './node.ts';
import type { Handle, Op, OpContext } from './op.ts';
import { SharedRun } from './shared-run.ts';
import type { StepTrace } from './step-trace.ts';
import { type Edge, topologicalOrder, type Vertex } from './vertex.ts';

export interface SolverOptions<T> {
  makeOp(vertex: Vertex): Op<T>;
  readonly cache: CacheStore<T>;
  /** How many ops run at once; the others wait in order. */
  readonly parallelism: number;
}

/** One build's view of the solver. */
export interface Job<T> {
  /** The result of the edge, held for the caller, who releases it. */
  solve(edge: Edge): Promise<Handle<T>>;
  /** What is known of the steps so far, inputs before users. */
  traces(): StepTrace[];
  /** Ends the interest; work that no other job waits for is cancelled. */
  close(): void;
}

/**
 * Definitions in, results out. Walks from the target back: each vertex first tries its definition key, then its
 * content key, then runs; independent vertices run together, equal ones of all jobs once.
 */
export class Solver<T> {
  readonly #nodes = new Map<string, Node<T>>();
  readonly #runs = new Map<string, SharedRun<T>>();
  readonly #host: NodeHost<T>;

  constructor(options: SolverOptions<T>) {
    const limit = createLimiter(options.parallelism);
    this.#host = {
      cache: options.cache,
      makeOp: options.makeOp,
      nodeOf: (vertex) => this.#nodeOf(vertex),
      share: (name, waiter, work) => this.#share(name, waiter, work),
      limit: (work) => limit(work),
    };
  }

  openJob(interest: Interest & { readonly signal: AbortSignal }): Job<T> {
    const joined = new Map<string, Node<T>>();
    let closed = false;
    return {
      solve: async (edge) => {
        interest.signal.throwIfAborted();
        for (const vertex of topologicalOrder(edge.vertex)) {
          const id = nodeId(vertex);
          if (joined.has(id)) continue;
          const node = this.#nodeOf(vertex);
          joined.set(id, node);
          node.join(interest);
        }
        const output = this.#nodeOf(edge.vertex).output(edge.index);
        return (await abortable(output, interest.signal)).clone();
      },
      traces: () => [...joined.values()].map((node) => node.trace),
      close: () => {
        if (closed) return;
        closed = true;
        for (const [id, node] of joined) {
          if (node.leave(interest) && this.#nodes.get(id) === node) this.#nodes.delete(id);
        }
      },
    };
  }

  #nodeOf(vertex: Vertex): Node<T> {
    const id = nodeId(vertex);
    let node = this.#nodes.get(id);
    if (!node) {
      node = new Node(this.#host, vertex);
      this.#nodes.set(id, node);
    }
    return node;
  }

  async #share(
    name: string,
    waiter: Node<T>,
    work: (context: OpContext) => Promise<readonly Handle<T>[]>,
  ): Promise<readonly Handle<T>[]> {
    let run = this.#runs.get(name);
    if (!run) {
      const started: SharedRun<T> = new SharedRun(work, () => {
        if (this.#runs.get(name) === started) this.#runs.delete(name);
      });
      run = started;
      this.#runs.set(name, run);
    }
    return run.wait(waiter);
  }
}

const ids = new WeakMap<Vertex, string>();

/**
 * Equal vertices share a node, but one that is to run again must not share with one that may use the cache; so the id
 * names, beside the digest, which vertices beneath ignore the cache.
 */
function nodeId(vertex: Vertex): string {
  const known = ids.get(vertex);
  if (known !== undefined) return known;
  for (const each of topologicalOrder(vertex)) {
    if (ids.has(each)) continue;
    const inputs = each.inputs.map((input) => ids.get(input.vertex) ?? input.vertex.digest);
    const fresh = each.ignoreCache || inputs.some((id) => id.includes('!'));
    const mark = createHash('sha256')
      .update(`${each.ignoreCache}\n${inputs.join('\n')}`)
      .digest('hex')
      .slice(0, 32);
    ids.set(each, fresh ? `${each.digest}!${mark}` : each.digest);
  }
  return ids.get(vertex) ?? vertex.digest;
}
