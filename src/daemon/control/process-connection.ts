import { Tunnel } from '../../api/grpc/tunnel.ts';
import type { ProcessIo } from '../../runtime/runtime.ts';
import { PacedQueue } from './paced-queue.ts';

/** A connection to a process over its standard input and output, as frontends in containers speak gRPC. */
export class ProcessConnection {
  readonly duplex: Tunnel;
  readonly io: ProcessIo;
  readonly #output = new PacedQueue<{ readonly data: Uint8Array }>();

  constructor(stderr: ProcessIo['stderr']) {
    this.duplex = new Tunnel(this.#output);
    this.duplex.on('error', () => {
      // The process went away or sent what is no HTTP/2: its end is told by its exit.
    });
    // What it still says is not heard then, but must not hold it back from ending.
    this.duplex.on('close', () => this.#output.close());
    this.io = {
      stdin: this.#input(),
      stdout: (data) => this.#output.push({ data: Buffer.from(data) }),
      stderr,
    };
  }

  /** The process has ended: nothing more will come. */
  close(): void {
    this.duplex.destroy();
  }

  async *#input(): AsyncGenerator<Uint8Array, void> {
    for await (const { data } of this.duplex.outgoing) yield data;
  }
}
