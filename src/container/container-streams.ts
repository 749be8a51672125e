import { InputPipe } from './input-pipe.ts';
import type { JsonLog, OutputStream } from './json-log.ts';

/** Takes a piece of output; a promise holds the container back until it is taken. */
export type OutputListener = (stream: OutputStream, bytes: Uint8Array) => void | Promise<void>;

export interface Attachment {
  readonly take: OutputListener;
  /** The process has ended. */
  readonly end: () => void;
}

/** A container's standard streams for one life of its process: into the log, and to whoever is attached. */
export class ContainerStreams {
  readonly stdin = new InputPipe();
  /** Absent when the container keeps none. */
  readonly log: JsonLog | undefined;
  readonly #attached = new Set<Attachment>();

  constructor(log: JsonLog | undefined) {
    this.log = log;
  }

  /** Output from now on; answers how to stop. */
  attach(attachment: Attachment): () => void {
    this.#attached.add(attachment);
    return () => this.#attached.delete(attachment);
  }

  async write(stream: OutputStream, bytes: Uint8Array): Promise<void> {
    this.log?.write(stream, bytes);
    await Promise.all([...this.#attached].map((attachment) => this.#give(attachment, stream, bytes)));
  }

  end(): void {
    this.log?.end();
    this.stdin.abandon();
    for (const { end } of this.#attached) end();
    this.#attached.clear();
  }

  /** One who fails is left out; the others and the container go on. */
  async #give(attachment: Attachment, stream: OutputStream, bytes: Uint8Array): Promise<void> {
    try {
      await attachment.take(stream, bytes);
    } catch {
      this.#attached.delete(attachment);
    }
  }
}
