import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { invalidArgument, notFound } from '../../base/errors.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import { familiarRepository, formatReference, parseReference, withDefaultTag } from '../../oci/reference.ts';
import { dockerConfigCredentials } from '../../registry/docker-config.ts';
import type { CommandRun } from '../command.ts';
import { openEngine } from '../engine.ts';
import { UsageError } from '../flags.ts';

/** The login for a registry as the API takes it. */
async function registryAuth(domain: string): Promise<Record<string, string>> {
  const login = await dockerConfigCredentials()(domain === 'docker.io' ? 'registry-1.docker.io' : domain);
  if (!login) return {};
  const body =
    'token' in login
      ? { identitytoken: login.token }
      : 'registryToken' in login
        ? { registrytoken: login.registryToken }
        : { username: login.username, password: login.secret };
  return { 'x-registry-auth': Buffer.from(JSON.stringify(body)).toString('base64url') };
}

/** Progress lines; those that repeat an id in the same state are left out where nothing can be redrawn. */
async function showProgress(lines: AsyncIterable<Record<string, unknown>>, quiet: boolean): Promise<void> {
  const states = new Map<unknown, unknown>();
  for await (const { id, status, stream } of lines) {
    if (quiet) continue;
    if (typeof stream === 'string') process.stdout.write(stream);
    else if (status !== undefined && (id === undefined || states.get(id) !== status))
      console.log(id === undefined ? status : `${id}: ${status}`);
    if (id !== undefined) states.set(id, status);
  }
}

export async function pullImage(
  engine: EngineClient,
  name: string,
  options: { readonly platform?: string | undefined; readonly quiet: boolean },
): Promise<void> {
  const reference = withDefaultTag(parseReference(name));
  const headers = await registryAuth(reference.domain);
  const query = {
    fromImage: `${reference.domain}/${reference.path}`,
    tag: reference.digest ?? reference.tag,
    platform: options.platform,
  };
  await showProgress(engine.lines('POST', '/images/create', { query, headers }), options.quiet);
}

export const runPull: CommandRun = async ({ flags, args }, { locations }) => {
  const [name, ...more] = args;
  if (name === undefined || more.length > 0) throw new UsageError('"slipway pull" requires exactly 1 argument');
  const reference = withDefaultTag(parseReference(name));
  if (!name.includes(':') && !name.includes('@') && !flags.boolean('quiet')) console.log('Using default tag: latest');
  await pullImage(await openEngine(locations), name, {
    platform: flags.text('platform'),
    quiet: flags.boolean('quiet'),
  });
  console.log(formatReference(reference));
  return 0;
};

export const runPush: CommandRun = async ({ flags, args }, { locations }) => {
  const [name, ...more] = args;
  if (name === undefined || more.length > 0) throw new UsageError('"slipway push" requires exactly 1 argument');
  const reference = withDefaultTag(parseReference(name));
  const engine = await openEngine(locations);
  const headers = await registryAuth(reference.domain);
  const path = `/images/${encodeURIComponent(`${reference.domain}/${reference.path}`)}/push`;
  await showProgress(engine.lines('POST', path, { query: { tag: reference.tag }, headers }), flags.boolean('quiet'));
  if (flags.boolean('quiet')) console.log(formatReference(reference));
  return 0;
};

export const runSave: CommandRun = async ({ flags, args }, { locations }) => {
  if (args.length === 0) throw new UsageError('"slipway save" requires at least 1 argument');
  const output = flags.text('output');
  if (output === undefined && process.stdout.isTTY)
    throw invalidArgument('cowardly refusing to save to a terminal', { hint: 'use the -o flag or redirect' });
  const engine = await openEngine(locations);
  const response = await engine.open('GET', '/images/get', { query: { names: args } });
  await pipeline(response, output === undefined ? process.stdout : createWriteStream(output, { mode: 0o600 }));
  return 0;
};

export const runLoad: CommandRun = async ({ flags, args }, { locations }) => {
  if (args.length > 0) throw new UsageError('"slipway load" accepts no arguments');
  const input = flags.text('input');
  if (input === undefined && process.stdin.isTTY)
    throw invalidArgument('requested load from stdin, but stdin is empty', { hint: 'give the archive with -i' });
  if (input !== undefined && !statSync(input, { throwIfNoEntry: false }))
    throw notFound(`open ${input}: no such file or directory`);
  const engine = await openEngine(locations);
  const body = input === undefined ? process.stdin : createReadStream(input, { highWaterMark: 1 << 20 });
  await showProgress(
    engine.lines('POST', '/images/load', { body, headers: { 'content-type': 'application/x-tar' } }),
    flags.boolean('quiet'),
  );
  return 0;
};

export const runImport: CommandRun = async ({ flags, args }, { locations }) => {
  const [file, name, ...more] = args;
  if (file === undefined || more.length > 0) throw new UsageError('"slipway import" requires 1 or 2 arguments');
  if (file !== '-' && !statSync(file, { throwIfNoEntry: false }))
    throw notFound(`open ${file}: no such file or directory`);
  const reference = name === undefined ? undefined : parseReference(name);
  const engine = await openEngine(locations);
  const body = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 20 });
  const query = {
    fromSrc: '-',
    repo: reference && familiarRepository(reference),
    tag: reference?.tag,
    changes: flags.list('change'),
    message: flags.text('message') ?? `Imported from ${file}`,
    platform: flags.text('platform'),
  };
  await showProgress(
    engine.lines('POST', '/images/create', { query, body, headers: { 'content-type': 'application/x-tar' } }),
    false,
  );
  return 0;
};
