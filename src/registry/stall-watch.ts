import type { ClientRequest } from 'node:http';
import { RegistryError, shownUrl } from './registry-error.ts';

/** Destroys an exchange in which the peer is silent for too long. A slow reader on our side does not count. */
export class StallWatch {
  readonly #outgoing: ClientRequest;
  readonly #url: URL;
  readonly #limitMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(outgoing: ClientRequest, url: URL, limitMs: number) {
    this.#outgoing = outgoing;
    this.#url = url;
    this.#limitMs = limitMs;
  }

  start(): void {
    this.stop();
    this.#timer = setTimeout(() => {
      const message = `cannot read from "${shownUrl(this.#url)}": no byte for ${this.#limitMs / 1000} s`;
      this.#outgoing.destroy(new RegistryError('deadline-exceeded', message, { transient: true }));
    }, this.#limitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
