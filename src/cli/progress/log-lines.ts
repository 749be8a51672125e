import { StringDecoder } from 'node:string_decoder';

/**
 * Turns pieces of output into lines. A carriage return starts the line over, as in a terminal: a progress bar leaves its
 * last state only. Nothing else is dropped.
 */
export class LogLines {
  readonly #decoders = new Map<number, StringDecoder>();
  readonly #open = new Map<number, string>();
  #last = 0;

  /** The lines that this piece has completed, without their ends. */
  push(stream: number, data: Uint8Array): string[] {
    const decoder = this.#decoders.get(stream) ?? new StringDecoder('utf8');
    this.#decoders.set(stream, decoder);
    this.#last = stream;
    const lines = `${this.#open.get(stream) ?? ''}${decoder.write(Buffer.from(data))}`.split('\n');
    this.#open.set(stream, overwritten(lines.pop() ?? '', true));
    return lines.map((line) => overwritten(line, false));
  }

  /** What stands in the line that was written to last and is not ended yet, such as a progress bar. */
  get current(): string {
    return (this.#open.get(this.#last) ?? '').replace(/\r$/, '');
  }

  /** What was begun and not ended by a line feed. */
  end(): string[] {
    const lines = [...this.#open].map(([stream, text]) =>
      overwritten(text + (this.#decoders.get(stream)?.end() ?? ''), false),
    );
    this.#open.clear();
    return lines.filter((line) => line !== '');
  }
}

/** What stays visible of a line; an open line keeps its last carriage return, which may yet be part of a line's end. */
function overwritten(line: string, open: boolean): string {
  const ended = line.replace(/\r+$/, '');
  const kept = ended.slice(ended.lastIndexOf('\r') + 1);
  return open && ended !== line ? `${kept}\r` : kept;
}
