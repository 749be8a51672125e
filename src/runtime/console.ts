import { closeSync, unlinkSync, write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReadStream } from 'node:tty';
import { promisify } from 'node:util';
import { systemErrorCode } from '../base/errors.ts';
import { ConsoleSocket, setTerminalSize } from './console-socket.ts';
import type { ProcessIo } from './runtime.ts';

const writeTo = promisify(write);

/** The master side of a container's pseudo terminal, which its runtime hands over on a socket. */
export class Console {
  readonly childEnds: readonly null[] = [null, null, null];
  readonly #io: ProcessIo;
  readonly #socket: ConsoleSocket;
  readonly #path: string;
  #size: { readonly rows: number; readonly columns: number };
  #fd: number | undefined;
  #stream: ReadStream | undefined;
  #destroyed = false;

  constructor(path: string, size: { readonly rows: number; readonly columns: number }, io: ProcessIo) {
    this.#io = io;
    this.#size = size;
    this.#path = path;
    this.#socket = new ConsoleSocket(path);
    void this.#receive();
  }

  closeChildEnds(): void {}

  resize(rows: number, columns: number): void {
    this.#size = { rows, columns };
    if (this.#fd !== undefined && !this.#destroyed) setTerminalSize(this.#fd, rows, columns);
  }

  /** The runtime waits until its message is taken, so this does not wait for the start. */
  async #receive(): Promise<void> {
    while (!this.#destroyed && this.#fd === undefined) {
      this.#fd = this.#socket.receive();
      if (this.#fd === undefined) await sleep(2);
    }
    if (this.#fd === undefined) return;
    this.#socket.close();
    setTerminalSize(this.#fd, this.#size.rows, this.#size.columns);
    if (this.#destroyed) closeSync(this.#fd);
    else this.#stream = new ReadStream(this.#fd);
  }

  async pump(): Promise<void> {
    while (!this.#stream && !this.#destroyed) await sleep(2);
    if (!this.#stream) return;
    if (this.#io.stdin) void this.#pumpInput(this.#io.stdin);
    try {
      for await (const chunk of this.#stream) await this.#io.stdout(chunk);
    } catch (error) {
      // How Linux tells that the last process has closed its terminal.
      if (systemErrorCode(error) !== 'EIO') throw error;
    }
  }

  async #pumpInput(input: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of input) {
        for (let at = 0; at < chunk.length; ) at += await this.#writeSome(chunk.subarray(at));
      }
    } catch {
      // The terminal is gone.
    }
  }

  async #writeSome(bytes: Uint8Array): Promise<number> {
    if (this.#destroyed || this.#fd === undefined) throw new Error('the terminal is closed');
    try {
      return (await writeTo(this.#fd, bytes)).bytesWritten;
    } catch (error) {
      if (systemErrorCode(error) !== 'EAGAIN') throw error;
      await sleep(5);
      return 0;
    }
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#stream?.destroy();
    this.#socket.close();
    try {
      unlinkSync(this.#path);
    } catch {}
  }
}
