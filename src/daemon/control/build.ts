import { randomUUID } from 'node:crypto';
import type { NetMode, SecurityMode } from '../../api/gen/ops_pb.js';
import { type Digest, digestOf } from '../../base/digest.ts';
import { errorMessage, SlipwayError } from '../../base/errors.ts';
import type { ExportProgress } from '../../exporter/exporter.ts';
import type { FrontendResult } from '../../frontend/frontend.ts';
import type { Edge } from '../../graph/vertex.ts';
import type { Handle } from '../../solver/op.ts';
import type { Job } from '../../solver/solver.ts';
import type { StepTrace } from '../../solver/step-trace.ts';
import { VertexProgress } from '../../solver/vertex-progress.ts';
import type { Ref } from '../../worker/ref.ts';
import type { Engine } from '../engine.ts';
import { EntitlementCheck, grantEntitlements } from '../entitlements.ts';
import { FreshCacheMounts } from './fresh-cache-mounts.ts';
import { ProgressLog } from './progress-log.ts';
import { RequestRecords } from './request-records.ts';
import { RequestScope, type ScopedRequest } from './request-scope.ts';
import type { WorkerIdentity } from './worker-record.ts';

export interface BuildInit {
  readonly ref: string;
  /** Of the client that asks; empty without one. */
  readonly session: string;
  /** What the client lets its steps do. */
  readonly entitlements: readonly string[];
  readonly request?: ScopedRequest | undefined;
  /** Of all builds that run. */
  readonly records?: RequestRecords | undefined;
}

/** One build request while it runs: its job at the solver, what it shows, and what it holds. */
export class Build {
  readonly ref: string;
  readonly sessions: readonly string[];
  readonly progress = new ProgressLog();
  readonly engine: Engine;
  readonly worker: WorkerIdentity;
  /** What its frontends did. */
  readonly scope: RequestScope;
  readonly startedAt = new Date();
  readonly invocationId = randomUUID();
  /** What the frontend made of it, once it did. */
  result: FrontendResult | undefined;
  ended = false;
  readonly #aborter = new AbortController();
  readonly #job: Job<Ref>;
  readonly #entitlements: EntitlementCheck;
  readonly #freshCacheMounts: FreshCacheMounts;
  readonly #handles = new Map<Digest, Map<number, Promise<Handle<Ref>>>>();

  constructor(engine: Engine, worker: WorkerIdentity, { ref, session, entitlements, request, records }: BuildInit) {
    this.scope = new RequestScope(records ?? new RequestRecords(), undefined, request);
    this.engine = engine;
    this.#freshCacheMounts = new FreshCacheMounts(engine.cacheMounts);
    this.worker = worker;
    this.#entitlements = new EntitlementCheck(grantEntitlements(entitlements, engine.entitlements));
    this.ref = ref;
    this.sessions = session === '' ? [] : [session];
    this.#job = engine.solver.openJob({ sink: this.progress, sessions: this.sessions, signal: this.#aborter.signal });
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  cancel(reason: unknown = new SlipwayError('canceled', 'the build was cancelled')): void {
    this.#aborter.abort(reason);
  }

  /** Throws permission-denied for a process that wants more than the client and the daemon allow. */
  checkExec(network: NetMode, security: SecurityMode): void {
    this.#entitlements.checkExec(network, security);
  }

  /** The result of an edge, held until the build ends. */
  async solve(edge: Edge): Promise<Ref> {
    const byIndex = this.#handles.get(edge.vertex.digest) ?? new Map<number, Promise<Handle<Ref>>>();
    this.#handles.set(edge.vertex.digest, byIndex);
    let handle = byIndex.get(edge.index);
    if (!handle) {
      this.#entitlements.check(edge);
      this.#freshCacheMounts.renew(edge);
      handle = this.#job.solve(this.engine.vertices.edge(edge));
      byIndex.set(edge.index, handle);
    }
    return (await handle).value;
  }

  /** Whether somebody has asked for the result of this edge. */
  isSolved({ vertex, index }: Edge): boolean {
    return this.#handles.get(vertex.digest)?.has(index) === true;
  }

  /** How its steps went so far. */
  traces(): StepTrace[] {
    return this.#job.traces();
  }

  /** What tells its client's context from others'; empty when the client does not say. */
  get sharedKey(): string {
    return this.engine.sessionAccess.sharedKey(this.sessions) ?? '';
  }

  /** Shows work that is no vertex of the graph: looking up an image, exporting. */
  async show<T>(name: string, work: (progress: VertexProgress) => Promise<T>): Promise<T> {
    const vertex = { digest: digestOf(`${name} ${randomUUID()}`), name, inputs: [], ignoreCache: false };
    const progress = new VertexProgress(vertex, () => [this.progress]);
    progress.started();
    try {
      const result = await work(progress);
      progress.completed();
      return result;
    } catch (error) {
      progress.failed(errorMessage(error));
      throw error;
    }
  }

  exportProgress(progress: VertexProgress): ExportProgress {
    const context = progress.context(this.signal, () => this.sessions);
    return {
      step: async (name, work) => {
        context.status(name, { current: 0 });
        const result = await work();
        context.status(name, { current: 0, completed: true });
        return result;
      },
    };
  }

  close(): void {
    this.ended = true;
    this.#job.close();
    this.scope.close();
    for (const byIndex of this.#handles.values()) {
      for (const handle of byIndex.values()) {
        handle.then(
          (held) => held.release(),
          () => {
            // The error has gone to whoever asked for the result.
          },
        );
      }
    }
    this.progress.end();
  }
}
