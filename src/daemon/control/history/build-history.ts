import {
  BuildHistoryEventType,
  type BuildHistoryRecord,
  BuildHistoryRecordSchema,
  type BuildHistoryRequest,
  type SolveRequest,
  type UpdateBuildHistoryRequest,
} from '../../../api/gen/control_pb.js';
import { create } from '../../../api/message/create.ts';
import { timestampDate, timestampFromDate } from '../../../api/message/well-known.ts';
import { AsyncQueue } from '../../../base/async.ts';
import type { Digest } from '../../../base/digest.ts';
import { errorMessage, notFound } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import { scrubAttributes } from '../../../base/scrub.ts';
import type { Engine } from '../../engine.ts';
import type { Build } from '../build.ts';
import { FileListings } from './file-listings.ts';
import { finishRecord, type Outcome } from './finish-record.ts';
import { HistoryTable } from './history-table.ts';
import { recordProvenance } from './record-provenance.ts';

export interface HistoryEvent {
  readonly type: BuildHistoryEventType;
  readonly record: BuildHistoryRecord;
}

/** So many finished builds are kept, beside those that are pinned. */
const limit = 50;

/** The builds that run and those that ran, as `Control.ListenBuildHistory` tells them. */
export class BuildHistory {
  readonly table: HistoryTable;
  readonly #engine: Engine;
  readonly #listings: FileListings;
  readonly #running = new Map<string, BuildHistoryRecord>();
  readonly #finishing = new Map<string, Promise<void>>();
  readonly #listeners = new Set<AsyncQueue<HistoryEvent>>();
  readonly #log: Logger;

  constructor(engine: Engine, log: Logger) {
    this.#engine = engine;
    this.#log = log;
    this.table = new HistoryTable(engine.database);
    this.#listings = new FileListings(engine.worker.listingsDirectory ?? '', engine.content, this.table);
  }

  begin(request: SolveRequest): void {
    const record = create(BuildHistoryRecordSchema, {
      Ref: request.Ref,
      Frontend: request.Frontend,
      FrontendAttrs: scrubAttributes(request.FrontendAttrs),
      Exporters: request.Exporters.map(({ Type, Attrs }) => ({ Type, Attrs: scrubAttributes(Attrs) })),
      CreatedAt: timestampFromDate(new Date()),
    });
    this.#running.set(request.Ref, record);
    this.#tell({ type: BuildHistoryEventType.STARTED, record });
  }

  /** Call before the build is closed. The record is written afterwards: no client waits for it that does not ask. */
  end(build: Build, outcome: Outcome): void {
    const begun = this.#running.get(build.ref);
    if (!begun) return;
    const traces = build.traces();
    const completedAt = new Date();
    const written = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => {
        const { record, blobs } = finishRecord(this.#engine, begun, {
          traces,
          events: build.progress.events,
          sharedKey: build.sharedKey,
          outcome,
          completedAt,
          provenance: () => ('response' in outcome ? recordProvenance(build, begun, completedAt) : []),
          listingOf: (key) => this.#listings.pointer(key),
        });
        this.table.save(record, timestampDate(begun.CreatedAt ?? timestampFromDate(completedAt)).getTime(), blobs);
        this.#shrink();
        this.#tell({ type: BuildHistoryEventType.COMPLETE, record });
      })
      .catch((error: unknown) =>
        this.#log.error(`cannot keep the record of build ${build.ref}: ${errorMessage(error)}`),
      )
      .finally(() => {
        this.#running.delete(build.ref);
        this.#finishing.delete(build.ref);
      });
    this.#finishing.set(build.ref, written);
  }

  /** Before the database closes. */
  async settled(): Promise<void> {
    await Promise.all(this.#finishing.values());
  }

  async *listen(request: BuildHistoryRequest, signal: AbortSignal): AsyncGenerator<HistoryEvent, void> {
    const queue = new AsyncQueue<HistoryEvent>();
    const stop = () => queue.end();
    this.#listeners.add(queue);
    try {
      await this.settled();
      const wanted = ({ record }: HistoryEvent) => request.Ref === '' || record.Ref === request.Ref;
      const now = this.#events(request.ActiveOnly).filter(wanted);
      yield* request.Limit > 0 ? now.slice(0, request.Limit) : now;
      if (request.EarlyExit) return;
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) return;
      for await (const event of queue) if (wanted(event)) yield event;
    } finally {
      this.#listeners.delete(queue);
      signal.removeEventListener('abort', stop);
    }
  }

  /** Throws not-found. */
  async update({ Ref, Pinned, Delete }: UpdateBuildHistoryRequest): Promise<void> {
    await this.settled();
    const record = this.table.find(Ref);
    if (!record) {
      if (this.#running.has(Ref)) return;
      throw notFound(`failed to retrieve bucket for ref ${Ref}: not found`);
    }
    if (Delete) this.#remove(record);
    else if (Pinned !== record.pinned) {
      const created = record.CreatedAt ? timestampDate(record.CreatedAt).getTime() : 0;
      this.table.save({ ...record, pinned: Pinned }, created);
    }
  }

  /** The progress of a build that is long over, as it was written down. */
  async logOf(ref: string): Promise<Uint8Array | undefined> {
    await this.settled();
    const digest = this.table.find(ref)?.logs?.digest as Digest | undefined;
    return digest && this.#engine.content.readSmall(digest, Number.POSITIVE_INFINITY);
  }

  blobs(): ReadonlySet<Digest> {
    return this.table.blobs();
  }

  #events(activeOnly: boolean): HistoryEvent[] {
    const running = [...this.#running.values()].map((record) => ({ type: BuildHistoryEventType.STARTED, record }));
    if (activeOnly) return running;
    return [...running, ...this.table.list().map((record) => ({ type: BuildHistoryEventType.COMPLETE, record }))];
  }

  #remove(record: BuildHistoryRecord): void {
    this.table.remove(record.Ref);
    this.#listings.collect();
    this.#tell({ type: BuildHistoryEventType.DELETED, record });
  }

  #shrink(): void {
    const surplus = this.table.surplus(limit);
    for (const ref of surplus) this.table.remove(ref);
    if (surplus.length > 0) this.#listings.collect();
  }

  #tell(event: HistoryEvent): void {
    for (const listener of this.#listeners) listener.push(event);
  }
}
