/** Something that happened to a container, an image or a volume, as `docker events` tells it. */
export interface EngineEvent {
  readonly type: 'container' | 'image' | 'volume';
  readonly action: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly time: number;
}

type Listener = (event: EngineEvent) => void;

/** As many as docker keeps for `events --since`. */
const remembered = 256;

/** Tells events to whoever listens, and the latest to whoever asks later. */
export class EventBus {
  readonly #past: EngineEvent[] = [];
  readonly #listeners = new Set<Listener>();

  publish(event: Omit<EngineEvent, 'time'>): void {
    const told = { ...event, time: Date.now() };
    this.#past.push(told);
    if (this.#past.length > remembered) this.#past.shift();
    for (const listener of this.#listeners) listener(told);
  }

  /** Oldest first. */
  past(): readonly EngineEvent[] {
    return [...this.#past];
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
