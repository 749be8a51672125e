import { isErrorCode } from '../base/errors.ts';
import type { OpContext } from '../solver/op.ts';
import type { WorkerServices } from './worker-services.ts';

interface LoginSecret {
  readonly id: string;
  /** Turns the secret into the value of an Authorization header. */
  readonly header: (secret: string) => string;
}

const asIs = (secret: string) => secret;

/**
 * The Authorization header for a URL: the secret that the source names, else `HTTP_AUTH_HEADER_<host>` or `HTTP_AUTH_TOKEN_<host>`;
 * undefined when the client has none of them.
 */
export function httpLogin(
  url: string,
  named: string | undefined,
  services: WorkerServices,
  context: OpContext,
): Promise<string | undefined> {
  if (named) return firstLogin([{ id: named, header: asIs }], services, context);
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  if (host === '') return Promise.resolve(undefined);
  const token = { id: `HTTP_AUTH_TOKEN_${host}`, header: (secret: string) => `Bearer ${secret}` };
  return firstLogin([token, { id: `HTTP_AUTH_HEADER_${host}`, header: asIs }], services, context);
}

/**
 * Variables that let git log in at a repository, for its host alone: from the secrets that the source names
 * (`GIT_AUTH_HEADER`, `GIT_AUTH_TOKEN`), of which one with `.<host>` behind its name goes first.
 */
export async function gitLogin(
  remote: string,
  attrs: Readonly<Record<string, string>>,
  services: WorkerServices,
  context: OpContext,
): Promise<Record<string, string>> {
  if (!/^https?:\/\//.test(remote) || !URL.canParse(remote)) return {};
  const { protocol, host } = new URL(remote);
  const secrets = [`.${host}`, ''].flatMap((suffix): LoginSecret[] => {
    const header = attrs['git.authheadersecret'];
    const token = attrs['git.authtokensecret'];
    return [
      ...(header ? [{ id: header + suffix, header: asIs }] : []),
      ...(token ? [{ id: token + suffix, header: basicToken }] : []),
    ];
  });
  const login = await firstLogin(secrets, services, context);
  if (login === undefined) return {};
  // Not on its command line, which everybody on the machine can read.
  return {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${protocol}//${host}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: ${login}`,
  };
}

function basicToken(secret: string): string {
  return `basic ${Buffer.from(`x-access-token:${secret}`).toString('base64')}`;
}

async function firstLogin(
  secrets: readonly LoginSecret[],
  services: WorkerServices,
  context: OpContext,
): Promise<string | undefined> {
  for (const { id, header } of secrets) {
    try {
      const value = await services.sessions.secret(context.sessions(), id, context.signal);
      return header(Buffer.from(value).toString().trim());
    } catch (error) {
      if (!isErrorCode(error, 'not-found') && !isErrorCode(error, 'unimplemented')) throw error;
    }
  }
  return undefined;
}
