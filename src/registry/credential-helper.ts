import { spawn } from 'node:child_process';
import { invalidArgument, SlipwayError, systemErrorCode } from '../base/errors.ts';
import { optionalString, parseJsonObject } from '../oci/json.ts';
import type { RegistryCredentials } from './credentials.ts';
import { cleanText } from './registry-error.ts';

const answerLimit = 1 << 20;
const timeLimitMs = 60_000;

/**
 * Asks `docker-credential-<name> get` for the login of a server; undefined when it knows none. The name becomes part of a command, so
 * it may not hold a path.
 */
export async function askCredentialHelper(
  name: string,
  server: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<RegistryCredentials | undefined> {
  const program = programOf(name);
  const { code, output } = await runHelper(program, 'get', server, environment);
  if (code !== 0) {
    if (/credentials not found/i.test(output.toString())) return undefined;
    // The helper's words could hold what it was given; only its known answer is looked at.
    throw helperError(program, server, `it ended with exit code ${code}`);
  }
  const what = `answer of ${program}`;
  const answer = parseJsonObject(output, what, answerLimit);
  const username = optionalString(answer, 'Username', what) ?? '';
  const secret = optionalString(answer, 'Secret', what) ?? '';
  if (secret === '') return undefined;
  // The protocol's way to say that the secret is an identity token.
  return username === '<token>' ? { token: secret } : { username, secret };
}

/** Tells a helper to keep a login (`store`, JSON of it) or to forget one (`erase`, the server). */
export async function changeCredentialHelper(
  name: string,
  action: 'store' | 'erase',
  input: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const program = programOf(name);
  const { code } = await runHelper(program, action, input, environment);
  if (code === 0) return;
  throw new SlipwayError(
    'failed-precondition',
    `cannot ${action} the login with ${program}: it ended with exit code ${code}`,
  );
}

function programOf(name: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(name)) return `docker-credential-${name}`;
  throw invalidArgument(`cannot use ${JSON.stringify(name.slice(0, 80))} as a credential helper: want a plain name`, {
    hint: "correct credsStore and credHelpers in docker's config.json",
  });
}

function helperError(program: string, server: string, why: string, cause?: unknown): SlipwayError {
  return new SlipwayError(
    'unauthenticated',
    `cannot get the login for "${cleanText(server)}" from ${program}: ${why}`,
    {
      hint: "repair the helper, or take it out of credsStore and credHelpers in docker's config.json",
      cause,
    },
  );
}

function runHelper(
  program: string,
  action: 'get' | 'store' | 'erase',
  input: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ code: number | null; output: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number | null; output: Buffer }>();
  const child = spawn(program, [action], { stdio: ['pipe', 'pipe', 'ignore'], env: environment, timeout: timeLimitMs });
  const chunks: Buffer[] = [];
  let size = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > answerLimit) child.kill('SIGKILL');
    else chunks.push(chunk);
  });
  child.on('error', (error) => {
    const why = systemErrorCode(error) === 'ENOENT' ? 'it is not on the PATH' : 'it cannot be started';
    reject(
      action === 'get'
        ? helperError(program, input, why, error)
        : new SlipwayError('failed-precondition', `cannot ${action} the login with ${program}: ${why}`, {
            cause: error,
          }),
    );
  });
  child.on('close', (code) => resolve({ code, output: Buffer.concat(chunks) }));
  // A helper that does not read its input must not take us down.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return promise;
}
