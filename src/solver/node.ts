import type { Digest } from '../base/digest.ts';
import { errorMessage } from '../base/errors.ts';
import { cacheKey, type Keying } from './cache-key.ts';
import type { CacheStore } from './cache-store.ts';
import type { Handle, Op, OpContext } from './op.ts';
import type { ProgressSink } from './progress.ts';
import { SolveError } from './solve-error.ts';
import type { StepTrace } from './step-trace.ts';
import { topologicalOrder, type Vertex } from './vertex.ts';
import { VertexProgress } from './vertex-progress.ts';

/** What a node needs of the solver. */
export interface NodeHost<T> {
  readonly cache: CacheStore<T>;
  makeOp(vertex: Vertex): Op<T>;
  nodeOf(vertex: Vertex): Node<T>;
  /** Runs the work once for everybody who asks under the same name at the same time. */
  share(
    name: string,
    waiter: Node<T>,
    work: (context: OpContext) => Promise<readonly Handle<T>[]>,
  ): Promise<readonly Handle<T>[]>;
  limit<R>(work: () => Promise<R>): Promise<R>;
}

/** Who is interested in a node: a build with its sessions and its progress. */
export interface Interest {
  readonly sink: ProgressSink;
  readonly sessions: readonly string[];
}

/**
 * The solver's running record of a vertex, shared by all builds that want it. Key and outputs are promises made on
 * first demand; a failure is forgotten at once, so that the next build tries again.
 */
export class Node<T> {
  readonly vertex: Vertex;
  readonly progress: VertexProgress;
  readonly #host: NodeHost<T>;
  readonly #interests = new Set<Interest>();
  #aborter = new AbortController();
  #op: Op<T> | undefined;
  #keying: Promise<Keying<T>> | undefined;
  #keyed: Keying<T> | undefined;
  #outputs: Promise<readonly Handle<T>[]> | undefined;

  constructor(host: NodeHost<T>, vertex: Vertex) {
    this.#host = host;
    this.vertex = vertex;
    this.progress = new VertexProgress(vertex, () => [...this.#interests].map((interest) => interest.sink));
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  sessions(): readonly string[] {
    return [...this.#interests].flatMap((interest) => interest.sessions);
  }

  join(interest: Interest): void {
    if (this.#interests.has(interest)) return;
    this.#interests.add(interest);
    this.progress.replay(interest.sink);
  }

  /** Answers whether nobody is interested any more; then the work stops and the outputs are let go. */
  leave(interest: Interest): boolean {
    this.#interests.delete(interest);
    if (this.#interests.size > 0) return false;
    this.#aborter.abort(new Error('no build waits for this step any more'));
    this.#outputs?.then(
      (handles) => {
        for (const handle of handles) handle.release();
      },
      () => {
        // Whoever awaited the outputs has the error.
      },
    );
    return true;
  }

  key(): Promise<Keying<T>> {
    this.#keying ??= this.#computeKey().then(
      (keying) => {
        this.#keyed = keying;
        return keying;
      },
      (error: unknown) => {
        this.#keying = undefined;
        throw this.#failed(error);
      },
    );
    return this.#keying;
  }

  /** How the step was keyed and how it went, as far as is known by now. */
  get trace(): StepTrace {
    const { map, key, inputKeys, contentInputs, fresh } = this.#keyed ?? {};
    return {
      vertex: this.vertex,
      event: this.progress.event,
      keying: map &&
        key && {
          key,
          opDigest: map.digest,
          facts: map.facts ?? {},
          inputKeys: inputKeys ?? [],
          contentInputs: contentInputs ?? [],
          fresh: fresh === true,
        },
    };
  }

  outputs(): Promise<readonly Handle<T>[]> {
    this.#outputs ??= this.#findOrRun().catch((error: unknown) => {
      this.#outputs = undefined;
      throw this.#failed(error);
    });
    return this.#outputs;
  }

  async output(index: number): Promise<Handle<T>> {
    const handle = (await this.outputs())[index];
    if (!handle) throw new Error(`cannot take output ${index} of "${this.vertex.name}": there is none`);
    return handle;
  }

  /**
   * Whoever uses this one will ask for its content. What no record answers for must run for that in any case, so it
   * begins now, beside the other inputs, instead of after their keys are known.
   */
  runEarly(): void {
    this.key()
      .then(({ key, fresh, map }) =>
        fresh || map.cacheable === false || !this.#host.cache.has(key) ? this.outputs() : undefined,
      )
      .catch(() => {
        // Whoever asks for the outputs gets the error.
      });
  }

  /** Shows this step and what it is made of as cached, unless it showed something already. */
  markCached(): void {
    if (this.progress.touched) return;
    for (const vertex of topologicalOrder(this.vertex, (each) => !this.#host.nodeOf(each).progress.touched)) {
      const node = this.#host.nodeOf(vertex);
      if (!node.progress.touched) node.progress.cached();
    }
  }

  get op(): Op<T> {
    this.#op ??= this.#host.makeOp(this.vertex);
    return this.#op;
  }

  #context(): OpContext {
    return this.progress.context(this.signal, () => this.sessions());
  }

  async #computeKey(): Promise<Keying<T>> {
    const map = await this.op.cacheMap(this.#context());
    const inputs = await Promise.all(
      this.vertex.inputs.map((input, i) => {
        const node = this.#host.nodeOf(input.vertex);
        if (map.inputs[i]?.contentKey) node.runEarly();
        return node.key();
      }),
    );
    const byDefinition = inputs.map((input, i) => ({
      selector: map.inputs[i]?.selector,
      key: `${input.key}#${this.vertex.inputs[i]?.index ?? 0}`,
    }));
    const definitionKey = cacheKey(map.digest, byDefinition);
    const keys = byDefinition.map((input) => input.key);
    const stale = (i: number) => inputs[i]?.fresh === true && !map.inputs[i]?.contentKey;
    const fresh = this.vertex.ignoreCache || inputs.some((_, i) => stale(i));
    if (!map.inputs.some((input) => input.contentKey)) {
      return { map, definitionKey, key: definitionKey, inputKeys: keys, contentInputs: [], fresh };
    }
    const anyFresh = fresh || inputs.some((input) => input.fresh);
    const linked = anyFresh ? undefined : this.#host.cache.findLink(definitionKey);
    if (linked) return { map, definitionKey, key: linked, inputKeys: keys, contentInputs: [], fresh };
    const withContent = await this.#contentKeys(map, byDefinition);
    const key = cacheKey(map.digest, withContent);
    const contentInputs = withContent.flatMap((_, i) => (map.inputs[i]?.contentKey ? [i] : []));
    return { map, definitionKey, key, inputKeys: withContent.map((input) => input.key), contentInputs, fresh };
  }

  #contentKeys(map: Keying<T>['map'], byDefinition: readonly { selector: string | undefined; key: string }[]) {
    return Promise.all(
      byDefinition.map(async ({ selector, key }, i) => {
        const contentKey = map.inputs[i]?.contentKey;
        const edge = this.vertex.inputs[i];
        if (!contentKey || !edge) return { selector, key };
        const input = await this.#host.nodeOf(edge.vertex).output(edge.index);
        const digest: Digest = await contentKey(input.value, this.#context());
        return { selector, key: digest as string };
      }),
    );
  }

  async #findOrRun(): Promise<readonly Handle<T>[]> {
    const keying = await this.key();
    if (keying.fresh || keying.map.cacheable === false) return this.#run(keying);
    const found = this.#host.cache.find(keying.key);
    if (!found) return this.#run(keying);
    this.markCached();
    return found;
  }

  async #run(keying: Keying<T>): Promise<readonly Handle<T>[]> {
    const inputs = await Promise.all(
      this.vertex.inputs.map((input) => this.#host.nodeOf(input.vertex).output(input.index)),
    );
    const values = inputs.map((input) => input.value);
    await this.op.awaitInputs?.(values, this.#context());
    const cacheable = keying.map.cacheable !== false;
    const name = `${keying.key}${keying.fresh ? '!' : ''}${cacheable ? '' : this.vertex.digest}`;
    const handles = await this.#host.share(name, this, async (context) => {
      // Somebody else may have finished the same work since this node looked.
      const found = cacheable && !keying.fresh ? this.#host.cache.find(keying.key) : undefined;
      if (found) return found;
      const made = await this.#host.limit(() => this.op.run(values, context));
      if (cacheable) this.#save(keying, made);
      return made;
    });
    this.progress.completed();
    return handles;
  }

  #save(keying: Keying<T>, made: readonly Handle<T>[]): void {
    const values = made.map((handle) => handle.value);
    this.#host.cache.save(keying.key, values, {
      vertex: this.vertex.digest,
      description: this.vertex.name,
      opDigest: keying.map.digest,
      inputKeys: keying.inputKeys,
    });
    if (keying.definitionKey !== keying.key) this.#host.cache.saveLink(keying.definitionKey, keying.key);
  }

  /** The step's own failure is shown at the step; one that came from an input was shown there. */
  #failed(error: unknown): unknown {
    if (error instanceof SolveError) return error;
    this.progress.failed(errorMessage(error));
    return new SolveError(this.vertex.digest, this.vertex.name, error);
  }
}
