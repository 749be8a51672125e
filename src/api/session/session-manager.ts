import type { Duplex } from 'node:stream';
import { abortable } from '../../base/async.ts';
import { notFound, SlipwayError } from '../../base/errors.ts';
import { GrpcChannel } from '../grpc/channel.ts';
import { defaultHealth, type HealthOptions, Session } from './session.ts';
import type { SessionGreeting } from './session-headers.ts';

/** How long a build waits for the session it names, which may come after it. Milliseconds. */
const defaultPatience = 5000;

/** The clients that are connected now, by session id. */
export class SessionManager {
  readonly #sessions = new Map<string, Session>();
  readonly #waiting = new Map<string, Set<(session: Session) => void>>();
  readonly #health: HealthOptions;

  constructor(options: { readonly health?: HealthOptions | undefined } = {}) {
    this.#health = options.health ?? defaultHealth;
  }

  /** Takes the connection on which the client serves; resolves when it is gone. */
  async serve(connection: Duplex, greeting: SessionGreeting): Promise<void> {
    if (this.#sessions.has(greeting.id)) {
      connection.destroy();
      throw new SlipwayError('already-exists', `cannot open session "${greeting.id}": it is open already`);
    }
    const session = new Session(greeting, new GrpcChannel(connection), this.#health);
    this.#sessions.set(greeting.id, session);
    for (const resolve of this.#waiting.get(greeting.id) ?? []) resolve(session);
    try {
      await session.channel.whenClosed();
    } finally {
      this.#sessions.delete(greeting.id);
    }
  }

  /** The session if it is open now. */
  find(id: string): Session | undefined {
    return this.#sessions.get(bareId(id));
  }

  /** Waits for the session to open. Throws not-found when it does not. */
  async get(
    id: string,
    options: { readonly signal?: AbortSignal | undefined; readonly patience?: number | undefined } = {},
  ): Promise<Session> {
    const bare = bareId(id);
    const open = this.#sessions.get(bare);
    if (open) return open;
    const { promise, resolve, reject } = Promise.withResolvers<Session>();
    const timer = setTimeout(
      () => reject(notFound(`cannot find session "${bare}": no client opened it`)),
      options.patience ?? defaultPatience,
    );
    const waiting = this.#waiting.get(bare) ?? new Set();
    this.#waiting.set(bare, waiting.add(resolve));
    try {
      return await abortable(promise, options.signal);
    } finally {
      clearTimeout(timer);
      waiting.delete(resolve);
      if (waiting.size === 0) this.#waiting.delete(bare);
    }
  }

  /** Runs on the first of the sessions whose answer is not "not found" or "not served"; throws not-found when there is none. */
  async firstOf<T>(
    ids: readonly string[],
    what: string,
    signal: AbortSignal | undefined,
    ask: (session: Session) => Promise<T>,
  ): Promise<T> {
    let cause: unknown;
    for (const id of ids) {
      try {
        const session = await this.get(id, { signal });
        return await ask(session);
      } catch (error) {
        if (!(error instanceof SlipwayError) || !['not-found', 'unimplemented'].includes(error.code)) throw error;
        cause = error;
      }
    }
    throw notFound(`cannot find ${what}: no client of this build offers it`, { cause });
  }

  get size(): number {
    return this.#sessions.size;
  }

  close(): void {
    for (const session of this.#sessions.values()) session.close();
  }
}

/** An id may carry a `prefix:`, which only tells requests of one session apart. */
function bareId(id: string): string {
  return id.slice(id.lastIndexOf(':') + 1);
}
