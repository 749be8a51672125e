import type { Duplex } from 'node:stream';
import { isErrorCode, notFound } from '../../base/errors.ts';
import { Upload } from '../gen/upload_pb.js';
import { checkSshAgent, getCredentials, getSecret, openSshAgent, pullUpload } from './ask-client.ts';
import { receiveDirectory } from './receive-directory.ts';
import type { SessionManager } from './session-manager.ts';

/** Where progress of a transfer goes. */
interface TransferContext {
  readonly signal: AbortSignal;
  status?(id: string, progress: { readonly current: number; readonly completed?: boolean }): void;
}

/** Asks the clients of the builds that wait for something, by their sessions' ids; the first that has it answers. */
export class SessionAccess {
  readonly #manager: SessionManager;

  constructor(manager: SessionManager) {
    this.#manager = manager;
  }

  async *upload(sessions: readonly string[], path: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    const session = sessions.map((id) => this.#manager.find(id)).find((each) => each?.supports(Upload.method.pull));
    if (!session) throw notFound(`cannot fetch upload "${path}": no client of this build offers any`);
    yield* pullUpload(session, path, signal);
  }

  /** Throws not-found when no client has it. */
  secret(sessions: readonly string[], id: string, signal: AbortSignal): Promise<Uint8Array> {
    return this.#manager.firstOf(sessions, `secret "${id}"`, signal, (session) => getSecret(session, id, signal));
  }

  /** Throws not-found when no client offers the agent. */
  checkSshAgent(sessions: readonly string[], id: string, signal: AbortSignal): Promise<void> {
    return this.#manager.firstOf(sessions, `ssh agent "${id}"`, signal, (session) =>
      checkSshAgent(session, id, signal),
    );
  }

  sshAgent(sessions: readonly string[], id: string, signal: AbortSignal): Promise<Duplex> {
    return this.#manager.firstOf(sessions, `ssh agent "${id}"`, signal, async (session) => {
      await checkSshAgent(session, id, signal);
      return openSshAgent(session, id, signal);
    });
  }

  /** Where the client's directory lies, if it told so. */
  localDirectory(sessions: readonly string[], name: string): string | undefined {
    for (const id of sessions) {
      const path = this.#manager.find(id)?.greeting.localDirectories.get(name);
      if (path !== undefined) return path;
    }
    return undefined;
  }

  /** Identity of the client's directories: a later session with the same key may reuse what was received. */
  sharedKey(sessions: readonly string[]): string | undefined {
    for (const id of sessions) {
      const key = this.#manager.find(id)?.greeting.sharedKey;
      if (key) return key;
    }
    return undefined;
  }

  /** Receives the client's directory into `destination`, which may hold an earlier state of it. Throws not-found. */
  async receiveDirectory(
    sessions: readonly string[],
    name: string,
    options: {
      readonly include: readonly string[];
      readonly exclude: readonly string[];
      readonly followPaths: readonly string[];
    },
    destination: string,
    context: TransferContext,
  ): Promise<void> {
    const id = `transferring ${name}:`;
    const onBytes = (current: number) => context.status?.(id, { current });
    const { bytesReceived } = await this.#manager.firstOf(
      sessions,
      `local directory "${name}"`,
      context.signal,
      (session) => receiveDirectory(session, name, destination, { ...options, signal: context.signal, onBytes }),
    );
    context.status?.(id, { current: bytesReceived, completed: true });
  }

  /** What the clients log in with at a registry; undefined when none has a login. */
  async credentials(
    sessions: readonly string[],
    host: string,
    signal?: AbortSignal,
  ): Promise<{ readonly username: string; readonly secret: string } | { readonly token: string } | undefined> {
    try {
      const found = await this.#manager.firstOf(sessions, `login for "${host}"`, signal, async (session) => {
        const login = await getCredentials(session, host, signal);
        if (!login) throw notFound(`no login for "${host}"`);
        return login;
      });
      // docker's way to say "this is an identity token": a secret without a name.
      return found.username === '' ? { token: found.secret } : found;
    } catch (error) {
      if (isErrorCode(error, 'not-found')) return undefined;
      throw error;
    }
  }
}
