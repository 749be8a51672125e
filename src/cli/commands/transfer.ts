import type { EngineClient } from '../../client/engine-client.ts';
import { formatReference, parseReference, withDefaultTag } from '../../oci/reference.ts';
import { dockerConfigCredentials } from '../../registry/docker-config.ts';
import type { CommandRun } from '../command.ts';
import { openEngine } from '../engine.ts';
import { showTransfer } from '../show-transfer.ts';

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

export async function pullImage(
  engine: EngineClient,
  name: string,
  options: { readonly platform?: string | undefined; readonly quiet: boolean; readonly output?: NodeJS.WriteStream },
): Promise<void> {
  const reference = withDefaultTag(parseReference(name));
  const headers = await registryAuth(reference.domain);
  const query = {
    fromImage: `${reference.domain}/${reference.path}`,
    tag: reference.digest ?? reference.tag,
    platform: options.platform,
  };
  await showTransfer(engine.lines('POST', '/images/create', { query, headers }), options);
}

export const runPull: CommandRun = async ({ flags, args }, { locations }) => {
  const [name = ''] = args;
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
  const [name = ''] = args;
  const reference = withDefaultTag(parseReference(name));
  const engine = await openEngine(locations);
  const headers = await registryAuth(reference.domain);
  const path = `/images/${encodeURIComponent(`${reference.domain}/${reference.path}`)}/push`;
  const query = { tag: flags.boolean('all-tags') ? undefined : reference.tag, platform: flags.text('platform') };
  await showTransfer(engine.lines('POST', path, { query, headers }), { quiet: flags.boolean('quiet') });
  if (flags.boolean('quiet')) console.log(formatReference(reference));
  return 0;
};
