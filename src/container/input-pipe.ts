interface Piece {
  readonly bytes: Uint8Array;
  readonly taken: () => void;
}

/** A container's standard input: several may write, the process reads; `write` resolves once the piece is taken. */
export class InputPipe implements AsyncIterable<Uint8Array> {
  readonly #pieces: Piece[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  /** What comes after the end is dropped, as a closed pipe does. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#ended || bytes.length === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pieces.push({ bytes, taken: resolve });
    this.#wake?.();
    return promise;
  }

  /** The reader still gets what was written before. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Nobody reads any more. */
  abandon(): void {
    this.end();
    for (const { taken } of this.#pieces.splice(0)) taken();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece) {
        piece.taken();
        yield piece.bytes;
      } else if (this.#ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}
