import type { IncomingMessage, ServerResponse } from 'node:http';
import { invalidArgument } from '../base/errors.ts';
import { checkCaller, type Handler, pathOf, queryOf, sendError, sendJson } from './http.ts';

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
    checkCaller(message);
    const [, version, path = pathOf(message)] = /^\/v(\d+\.\d+)(\/.*)$/.exec(pathOf(message)) ?? [];
    const minor = minorVersion(version ?? newestVersion);
    const query = queryOf(message);
    for (const { method, pattern, names, handler } of this.#routes) {
      const match = method === message.method ? pattern.exec(path) : null;
      if (!match) continue;
      const parameters = Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(match[i + 1] ?? '')]));
      await handler({ message, query, parameters, version: minor, signal }, response);
      return;
    }
    // docker has it, this daemon not yet: that is no mistake of the client's.
    if (docker.test(path))
      sendJson(response, { message: `the daemon does not support ${message.method} ${path} yet` }, 501);
    else sendJson(response, { message: 'page not found' }, 404);
  }
}

/** Throws invalid-argument in docker's words for a version that is not served. */
function minorVersion(version: string): number {
  const number = (text: string) => {
    const [major, minor] = text.split('.').map(Number);
    return (major ?? 0) * 1000 + (minor ?? 0);
  };
  if (number(version) < number(oldestVersion))
    throw invalidArgument(
      `client version ${version} is too old. Minimum supported API version is ${oldestVersion}, please upgrade your client to a newer version`,
    );
  if (number(version) > number(newestVersion))
    throw invalidArgument(`client version ${version} is too new. Maximum supported API version is ${newestVersion}`);
  return number(version) % 1000;
}
