import type { OpContext } from './op.ts';
import type { LogEvent, ProgressSink, StatusEvent, VertexEvent, WarningEvent } from './progress.ts';
import type { Vertex } from './vertex.ts';

/** Keeps what a vertex has shown, passes it to all who watch, and replays it to those who come later. */
export class VertexProgress {
  readonly #vertex: Vertex;
  readonly #sinks: () => readonly ProgressSink[];
  readonly #statuses = new Map<string, StatusEvent>();
  readonly #logs: LogEvent[] = [];
  readonly #warnings: WarningEvent[] = [];
  #event: VertexEvent;

  constructor(vertex: Vertex, sinks: () => readonly ProgressSink[]) {
    this.#vertex = vertex;
    this.#sinks = sinks;
    this.#event = {
      digest: vertex.digest,
      inputs: vertex.inputs.map((input) => input.vertex.digest),
      name: vertex.name,
      cached: false,
      progressGroup: vertex.progressGroup,
    };
  }

  /** As it was shown last. */
  get event(): VertexEvent {
    return this.#event;
  }

  /** Whether anybody has seen the step do something. */
  get touched(): boolean {
    return this.#event.started !== undefined;
  }

  started(): void {
    if (this.#event.started && !this.#event.completed) return;
    this.#emit({ ...this.#event, started: new Date(), completed: undefined, cached: false, error: undefined });
  }

  completed(): void {
    if (this.#event.completed) return;
    const now = new Date();
    this.#emit({ ...this.#event, started: this.#event.started ?? now, completed: now });
  }

  cached(): void {
    const now = new Date();
    this.#emit({ ...this.#event, started: now, completed: now, cached: true });
  }

  failed(message: string): void {
    const now = new Date();
    this.#emit({ ...this.#event, started: this.#event.started ?? now, completed: now, error: message });
  }

  replay(sink: ProgressSink): void {
    sink.vertex(this.#event);
    for (const status of this.#statuses.values()) sink.status(status);
    for (const log of this.#logs) sink.log(log);
    for (const warning of this.#warnings) sink.warning(warning);
  }

  /** The op's side: whatever it shows goes to everybody who waits for the vertex. */
  context(signal: AbortSignal, sessions: () => readonly string[]): OpContext {
    return {
      signal,
      sessions,
      log: (stream, bytes) => this.#log({ vertex: this.#vertex.digest, stream, bytes, timestamp: new Date() }),
      status: (id, progress) => this.#status(id, progress),
      settled: () => this.completed(),
      warn: (message) => this.#warn(message),
    };
  }

  #emit(event: VertexEvent): void {
    this.#event = event;
    for (const sink of this.#sinks()) sink.vertex(event);
  }

  #log(event: LogEvent): void {
    this.started();
    this.#logs.push(event);
    for (const sink of this.#sinks()) sink.log(event);
  }

  #status(id: string, progress: Parameters<OpContext['status']>[1]): void {
    this.started();
    const now = new Date();
    const before = this.#statuses.get(id);
    const event: StatusEvent = {
      id,
      vertex: this.#vertex.digest,
      current: progress.current,
      total: progress.total ?? before?.total ?? 0,
      timestamp: now,
      started: before?.started ?? now,
      completed: progress.completed ? now : undefined,
    };
    this.#statuses.set(id, event);
    for (const sink of this.#sinks()) sink.status(event);
  }

  #warn(short: string): void {
    const event: WarningEvent = { vertex: this.#vertex.digest, level: 1, short, detail: [], url: '' };
    this.#warnings.push(event);
    for (const sink of this.#sinks()) sink.warning(event);
  }
}
