import { notFound, SlipwayError } from '../../base/errors.ts';
import type { FrontendResult } from '../../frontend/frontend.ts';
import type { Engine } from '../engine.ts';
import { Build, type BuildInit } from './build.ts';
import type { ClientGateway } from './client-gateway.ts';
import { RequestRecords } from './request-records.ts';
import type { WorkerIdentity } from './worker-record.ts';

interface Entry {
  readonly build: Build;
  gateway: ClientGateway | undefined;
  readonly result: PromiseWithResolvers<FrontendResult>;
}

/** How long those who ask for a build wait for it to begin: the calls of one client may overtake each other. Milliseconds. */
const patience = 10_000;
/** How long a finished build's progress can still be asked for. Milliseconds. */
const afterlife = 30_000;

/** The builds that run, by their refs. */
export class Builds {
  readonly #engine: Engine;
  readonly #worker: WorkerIdentity;
  readonly #records = new RequestRecords();
  readonly #entries = new Map<string, Entry>();
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>();

  constructor(engine: Engine, worker: WorkerIdentity) {
    this.#engine = engine;
    this.#worker = worker;
  }

  get active(): number {
    return [...this.#entries.values()].filter(({ build }) => !build.ended).length;
  }

  begin(init: BuildInit): { readonly build: Build; readonly result: Promise<FrontendResult> } {
    const { ref } = init;
    if (this.#entries.has(ref))
      throw new SlipwayError('already-exists', `cannot start build ${JSON.stringify(ref)}: there is one with that ref`);
    const build = new Build(this.#engine, this.#worker, { ...init, records: this.#records });
    const result = Promise.withResolvers<FrontendResult>();
    result.promise.catch(() => {
      // Whoever awaits the result has the error.
    });
    build.signal.addEventListener('abort', () => result.reject(build.signal.reason), { once: true });
    this.#entries.set(ref, { build, gateway: undefined, result });
    this.#waiting.get(ref)?.resolve();
    this.#waiting.delete(ref);
    return { build, result: result.promise };
  }

  has(ref: string): boolean {
    return this.#entries.has(ref);
  }

  async end(ref: string): Promise<void> {
    await this.#entries.get(ref)?.gateway?.close();
    setTimeout(() => this.#entries.delete(ref), afterlife).unref();
  }

  /** Waits for a build that has not begun yet. Throws not-found when it does not come. */
  async find(ref: string, signal: AbortSignal): Promise<Build> {
    return (await this.#entry(ref, signal)).build;
  }

  /** The gateway of a build whose frontend runs in the client. */
  async gateway(
    ref: string,
    signal: AbortSignal,
    create: (build: Build, done: PromiseWithResolvers<FrontendResult>) => ClientGateway,
  ): Promise<ClientGateway> {
    const entry = await this.#entry(ref, signal);
    entry.gateway ??= create(entry.build, entry.result);
    return entry.gateway;
  }

  cancelAll(): void {
    for (const { build } of this.#entries.values())
      build.cancel(new SlipwayError('unavailable', 'the daemon is stopping'));
  }

  async #entry(ref: string, signal: AbortSignal): Promise<Entry> {
    const timeout = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
    for (;;) {
      const entry = this.#entries.get(ref);
      if (entry) return entry;
      const waiting = this.#waiting.get(ref) ?? Promise.withResolvers<void>();
      this.#waiting.set(ref, waiting);
      const { promise: aborted, resolve } = Promise.withResolvers<'aborted'>();
      timeout.addEventListener('abort', () => resolve('aborted'), { once: true });
      if ((await Promise.race([waiting.promise, aborted])) === 'aborted') throw notFound(`no such job ${ref}`);
    }
  }
}
