import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

export type OutputStream = 1 | 2;

/** Takes a piece of output; a promise holds the container back until it is taken. */
export type OutputListener = (stream: OutputStream, bytes: Uint8Array) => void | Promise<void>;

/** A container's output: into the log, and to whoever is attached. */
export class ContainerOutput {
  readonly #listeners = new Set<{ readonly take: OutputListener; readonly end: () => void }>();
  readonly #log: JsonLog;

  constructor(logPath: string) {
    this.#log = new JsonLog(logPath);
  }

  listen(take: OutputListener, end: () => void): () => void {
    const listener = { take, end };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async write(stream: OutputStream, bytes: Uint8Array): Promise<void> {
    this.#log.write(stream, bytes);
    await Promise.all([...this.#listeners].map(({ take }) => take(stream, bytes)));
  }

  end(): void {
    this.#log.end();
    for (const { end } of this.#listeners) end();
    this.#listeners.clear();
  }
}

/** docker's json-file form: one JSON object a line, `{"log":"text\n","stream":"stdout","time":"…"}`. */
class JsonLog {
  readonly #path: string;
  readonly #partial = new Map<OutputStream, Buffer>();

  constructor(path: string) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  }

  write(stream: OutputStream, bytes: Uint8Array): void {
    const all = Buffer.concat([this.#partial.get(stream) ?? Buffer.alloc(0), bytes]);
    const end = all.lastIndexOf(10) + 1;
    if (end > 0) this.#append(stream, all.subarray(0, end));
    this.#partial.set(stream, Buffer.from(all.subarray(end)));
  }

  end(): void {
    for (const [stream, rest] of this.#partial) if (rest.length > 0) this.#append(stream, rest);
    this.#partial.clear();
  }

  #append(stream: OutputStream, bytes: Buffer): void {
    const time = new Date().toISOString().replace('Z', '000000Z');
    const lines = bytes.toString('utf8').split(/(?<=\n)/);
    appendFileSync(
      this.#path,
      lines.map((log) => `${JSON.stringify({ log, stream: stream === 1 ? 'stdout' : 'stderr', time })}\n`).join(''),
    );
  }
}
