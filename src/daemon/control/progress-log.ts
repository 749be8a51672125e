import { AsyncQueue } from '../../base/async.ts';
import type { LogEvent, ProgressSink, StatusEvent, VertexEvent, WarningEvent } from '../../solver/progress.ts';

export type ProgressEvent =
  | { readonly kind: 'vertex'; readonly event: VertexEvent }
  | { readonly kind: 'status'; readonly event: StatusEvent }
  | { readonly kind: 'log'; readonly event: LogEvent }
  | { readonly kind: 'warning'; readonly event: WarningEvent };

/** All that a build has shown, for those who watch now and those who come later. */
export class ProgressLog implements ProgressSink {
  readonly #events: ProgressEvent[] = [];
  readonly #watchers = new Set<AsyncQueue<ProgressEvent>>();
  #ended = false;

  vertex(event: VertexEvent): void {
    this.#add({ kind: 'vertex', event });
  }

  status(event: StatusEvent): void {
    this.#add({ kind: 'status', event });
  }

  log(event: LogEvent): void {
    this.#add({ kind: 'log', event });
  }

  warning(event: WarningEvent): void {
    this.#add({ kind: 'warning', event });
  }

  end(): void {
    this.#ended = true;
    for (const watcher of this.#watchers) watcher.end();
  }

  get events(): readonly ProgressEvent[] {
    return this.#events;
  }

  /** Everything from the beginning, then what comes, until the build's end. */
  async *watch(signal: AbortSignal): AsyncGenerator<ProgressEvent, void> {
    const queue = new AsyncQueue<ProgressEvent>();
    for (const event of this.#events) queue.push(event);
    if (this.#ended) queue.end();
    const stop = () => queue.end();
    signal.addEventListener('abort', stop, { once: true });
    this.#watchers.add(queue);
    try {
      yield* queue;
    } finally {
      this.#watchers.delete(queue);
      signal.removeEventListener('abort', stop);
    }
  }

  #add(event: ProgressEvent): void {
    this.#events.push(event);
    for (const watcher of this.#watchers) watcher.push(event);
  }
}
