import { SlipwayError } from '../../base/errors.ts';
import { Health } from '../gen/health_pb.js';
import type { Client, GrpcChannel } from '../grpc/channel.ts';
import type { Method, Service } from '../message/service.ts';
import type { SessionGreeting } from './session-headers.ts';

/** How often a client is asked whether it lives, and how long it may take to say so. Milliseconds. */
export interface HealthOptions {
  readonly interval: number;
  readonly timeout: number;
  readonly failures: number;
}

export const defaultHealth: HealthOptions = { interval: 5000, timeout: 15_000, failures: 2 };

/** A client that is connected, and what it serves. */
export class Session {
  readonly greeting: SessionGreeting;
  readonly channel: GrpcChannel;
  /** Fires when the client is gone. */
  readonly signal: AbortSignal;
  readonly #methods: ReadonlySet<string>;

  constructor(greeting: SessionGreeting, channel: GrpcChannel, health = defaultHealth) {
    this.greeting = greeting;
    this.channel = channel;
    this.#methods = new Set(greeting.methods);
    const aborter = new AbortController();
    this.signal = aborter.signal;
    const gone = () =>
      aborter.abort(new SlipwayError('unavailable', `the client of session "${greeting.id}" went away`));
    channel.whenClosed().then(gone, gone);
    this.#watchHealth(health).catch(() => this.channel.close());
  }

  get id(): string {
    return this.greeting.id;
  }

  supports(method: Method): boolean {
    return this.#methods.has(method.path);
  }

  /** Throws unimplemented where the client does not serve the method. */
  client<S extends Service>(service: S, method: S['method'][string]): Client<S> {
    if (!this.supports(method)) {
      throw new SlipwayError('unimplemented', `the client of session "${this.id}" does not serve ${method.path}`);
    }
    return this.channel.client(service);
  }

  close(): void {
    this.channel.close();
  }

  async #watchHealth({ interval, timeout, failures }: HealthOptions): Promise<void> {
    const health = this.channel.client(Health);
    for (let failed = 0; failed < failures; ) {
      await pause(interval, this.signal);
      if (this.signal.aborted) return;
      try {
        await health.check({}, { signal: AbortSignal.timeout(timeout) });
        failed = 0;
      } catch (error) {
        // Who does not serve health at all still answered.
        failed = error instanceof SlipwayError && error.code === 'unimplemented' ? 0 : failed + 1;
      }
    }
    this.channel.close();
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    timer.unref();
    signal.addEventListener('abort', done);
  });
}
