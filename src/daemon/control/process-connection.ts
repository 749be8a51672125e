import { Tunnel } from '../../api/grpc/tunnel.ts';
import { AsyncQueue } from '../../base/async.ts';
import type { ProcessIo } from '../../runtime/runtime.ts';

/** A connection to a process over its standard input and output, as frontends in containers speak gRPC. */
export class ProcessConnection {
  readonly duplex: Tunnel;
  readonly io: ProcessIo;
  readonly #output = new AsyncQueue<{ readonly data: Uint8Array; readonly taken: () => void }>();
  readonly #held = new Set<() => void>();

  constructor(stderr: ProcessIo['stderr']) {
    this.duplex = new Tunnel(this.#incoming());
    this.duplex.on('error', () => {
      // The process went away or sent what is no HTTP/2: its end is told by its exit.
    });
    this.duplex.on('close', () => {
      // What it still says is not heard, but must not hold it back from ending.
      for (const release of this.#held) release();
      this.#held.clear();
    });
    this.io = {
      stdin: this.#input(),
      // The process is held back until its bytes are wanted.
      stdout: (data) => this.#take(data),
      stderr,
    };
  }

  /** The process has ended: nothing more will come. */
  close(): void {
    this.#output.end();
    this.duplex.destroy();
  }

  #take(data: Uint8Array): Promise<void> | undefined {
    if (this.duplex.destroyed) return undefined;
    return new Promise((resolve) => {
      const taken = () => {
        this.#held.delete(taken);
        resolve();
      };
      this.#held.add(taken);
      this.#output.push({ data: Buffer.from(data), taken });
    });
  }

  async *#incoming(): AsyncGenerator<{ readonly data: Uint8Array }, void> {
    for await (const { data, taken } of this.#output) {
      yield { data };
      taken();
    }
  }

  async *#input(): AsyncGenerator<Uint8Array, void> {
    for await (const { data } of this.duplex.outgoing) yield data;
  }
}
