import type { Duplex } from 'node:stream';

/** Data waits at its stream once this much is on the way. Bytes. */
const room = 256 * 1024;
/** A peer that asks for more answers than it reads is given up. CVE-2019-9512, CVE-2019-9515. Bytes. */
const controlLimit = 4 * 1024 * 1024;

/** What leaves a connection: gathered while there is something to do, then written at once. */
export class Output {
  readonly #transport: Duplex;
  readonly #fill: () => void;
  readonly #queue: Buffer[] = [];
  #size = 0;
  #isScheduled = false;
  #isBlocked = false;

  /** `fill` adds data while there is room. */
  constructor(transport: Duplex, fill: () => void) {
    this.#transport = transport;
    this.#fill = fill;
    transport.on('drain', () => {
      this.#isBlocked = false;
      this.wake();
    });
  }

  /** Bytes of data that may be added now. */
  get room(): number {
    return this.#isBlocked ? 0 : room - this.#size;
  }

  add(...parts: readonly Buffer[]): void {
    for (const part of parts) {
      this.#queue.push(part);
      this.#size += part.length;
    }
    if (this.#size + this.#transport.writableLength > controlLimit)
      this.#transport.destroy(new Error('the other side does not read its answers'));
    this.wake();
  }

  wake(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // After all that is ready now: small frames then leave in one piece.
    process.nextTick(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }

  flush(): void {
    if (this.#transport.destroyed || this.#transport.writableEnded) return;
    this.#fill();
    const parts = this.#queue.splice(0);
    this.#size = 0;
    if (parts.length === 0) return;
    const [first] = parts;
    this.#isBlocked = !this.#transport.write(parts.length === 1 && first ? first : Buffer.concat(parts));
    // A part of the data may have stayed for want of room.
    if (!this.#isBlocked) this.wake();
  }
}
