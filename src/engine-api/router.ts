import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Handler, sendError, sendJson } from './http.ts';

interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly handler: Handler;
}

/** First words of the Docker Engine API's paths. */
const docker =
  /^\/(auth|build|commit|configs|containers|distribution|events|exec|images|networks|nodes|plugins|secrets|services|swarm|system|tasks|volumes)(\/|$)/;

export const newestVersion = '1.51';
export const oldestVersion = '1.24';

/** Routes by method and path, below `/vN.NN` or without. `{name}` takes the rest of an image's name too when it ends in `*`. */
export class EngineRouter {
  readonly #routes: Route[] = [];

  add(method: string, path: string, handler: Handler): void {
    const names: string[] = [];
    const source = path.replace(/\{(\w+)(\*?)\}/g, (_, name: string, rest: string) => {
      names.push(name);
      return rest === '' ? '([^/]+)' : '(.+)';
    });
    this.#routes.push({ method, pattern: new RegExp(`^${source}$`), names, handler });
  }

  async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const aborter = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) aborter.abort(new Error('the client went away'));
    });
    try {
      await this.#dispatch(message, response, aborter.signal);
    } catch (error) {
      sendError(response, error);
    }
  }

  async #dispatch(message: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const url = new URL(message.url ?? '/', 'http://daemon');
    const versioned = /^\/v(\d+)\.(\d+)(\/.*)$/.exec(url.pathname);
    const version = versioned ? Number(versioned[1]) * 100 + Number(versioned[2]) : 151;
    const path = versioned?.[3] ?? url.pathname;
    if (version < 124) {
      sendJson(
        response,
        {
          message: `client version ${versioned?.[1]}.${versioned?.[2]} is too old. Minimum supported API version is ${oldestVersion}, please upgrade your client to a newer version`,
        },
        400,
      );
      return;
    }
    for (const { method, pattern, names, handler } of this.#routes) {
      const match = method === message.method ? pattern.exec(path) : null;
      if (!match) continue;
      const parameters = Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(match[i + 1] ?? '')]));
      await handler({ message, query: url.searchParams, parameters, version: version / 100, signal }, response);
      return;
    }
    // docker has it, this daemon not yet: that is no mistake of the client's.
    if (docker.test(path))
      sendJson(response, { message: `the daemon does not support ${message.method} ${path} yet` }, 501);
    else sendJson(response, { message: 'page not found' }, 404);
  }
}
