import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { bind, checked } from '../kernel/system-call.ts';
import type { ProcessIo } from './runtime.ts';

const pipe2 = bind('int pipe2(_Out_ void *descriptors, int flags)');
const closeOnExec = 0o2000000;

function makePipe(): { readonly read: number; readonly write: number } {
  const descriptors = Buffer.alloc(8);
  checked(pipe2(descriptors, closeOnExec), 'pipe2');
  return { read: descriptors.readInt32LE(0), write: descriptors.readInt32LE(4) };
}

/** The pipes of one process. The kernel moves the bytes: nothing stands between the process and the daemon. */
export class ProcessPipes {
  /** The process's ends, as descriptors of the daemon; null is /dev/null. */
  readonly childEnds: readonly (number | null)[];
  readonly #io: ProcessIo;
  readonly #stdin: Socket | undefined;
  readonly #outputs: readonly { readonly socket: Socket; readonly write: ProcessIo['stdout'] }[];
  #closedChildEnds = false;

  constructor(io: ProcessIo) {
    this.#io = io;
    const stdin = io.stdin ? makePipe() : undefined;
    const stdout = makePipe();
    const stderr = makePipe();
    this.childEnds = [stdin?.read ?? null, stdout.write, stderr.write];
    this.#stdin = stdin && new Socket({ fd: stdin.write, readable: false, writable: true });
    this.#outputs = [
      { socket: new Socket({ fd: stdout.read, readable: true, writable: false }), write: io.stdout },
      { socket: new Socket({ fd: stderr.read, readable: true, writable: false }), write: io.stderr },
    ];
    // A process that no longer reads is no failure.
    this.#stdin?.on('error', () => {});
  }

  /** Once the process holds its ends, only they keep the pipes open. */
  closeChildEnds(): void {
    if (this.#closedChildEnds) return;
    this.#closedChildEnds = true;
    for (const fd of this.childEnds) if (fd !== null) closeSync(fd);
  }

  /** Moves the bytes; resolves when all output was taken. Rejects with what a receiver threw. */
  async pump(): Promise<void> {
    if (this.#io.stdin && this.#stdin) void pumpInput(this.#io.stdin, this.#stdin);
    await Promise.all(this.#outputs.map(({ socket, write }) => pumpOutput(socket, write)));
  }

  /** Closes everything, read or not. */
  destroy(): void {
    this.closeChildEnds();
    this.#stdin?.destroy();
    for (const { socket } of this.#outputs) socket.destroy();
  }
}

async function pumpOutput(socket: Socket, write: ProcessIo['stdout']): Promise<void> {
  for await (const chunk of socket) await write(chunk);
}

/** Ends with the input or with the process, whichever is first. */
async function pumpInput(input: AsyncIterable<Uint8Array>, socket: Socket): Promise<void> {
  const iterator = input[Symbol.asyncIterator]();
  const closed = new Promise<undefined>((resolve) => socket.once('close', () => resolve(undefined)));
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), closed]);
      if (!next || next.done) break;
      if (socket.write(next.value)) continue;
      await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
    }
  } catch {
    // The process sees the end of its input; who gave it knows of the failure.
  }
  socket.end();
  void closed.then(() => iterator.return?.()).catch(() => {});
}
