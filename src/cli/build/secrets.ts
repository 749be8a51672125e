import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { invalidArgument, notFound } from '../../base/errors.ts';
import type { SecretSource } from '../../client/serve-secrets.ts';
import { readFields } from './fields.ts';

/** `id=x[,src=file|env=NAME]`; without either, the variable of that name, else the file of that name. */
export function readSecrets(texts: readonly string[]): ReadonlyMap<string, SecretSource> {
  const secrets = new Map<string, SecretSource>();
  for (const text of texts) {
    const fields = readFields(text);
    const id = fields.get('id') ?? fields.get('src') ?? fields.get('source') ?? fields.get('env');
    if (!id)
      throw invalidArgument(`cannot use secret ${JSON.stringify(text)}`, {
        hint: 'want id=name,src=file or id=name,env=VARIABLE',
      });
    const unknown = [...fields.keys()].find((key) => !['id', 'src', 'source', 'env', 'type'].includes(key));
    if (unknown !== undefined)
      throw invalidArgument(`cannot use secret ${JSON.stringify(text)}: unexpected key ${JSON.stringify(unknown)}`);
    secrets.set(id, secretSource(id, fields));
  }
  return secrets;
}

function secretSource(id: string, fields: ReadonlyMap<string, string>): SecretSource {
  const file = fields.get('src') ?? fields.get('source');
  const variable =
    fields.get('env') ??
    (fields.get('type') === 'env' ? file : undefined) ??
    (file === undefined && process.env[id] !== undefined ? id : undefined);
  if (variable !== undefined) return { environment: variable };
  const path = resolve(file ?? id);
  if (!existsSync(path))
    throw notFound(`cannot use secret ${JSON.stringify(id)}: there is no file ${JSON.stringify(file ?? id)}`);
  return { file: path };
}

/** `default`, `id=socket`. */
export function readSshAgents(texts: readonly string[]): ReadonlyMap<string, string> {
  const agents = new Map<string, string>();
  for (const text of texts) {
    const [id = '', path] = text.split('=', 2);
    const socket = path ?? process.env.SSH_AUTH_SOCK;
    if (socket === undefined || socket === '')
      throw invalidArgument(`cannot use ssh agent ${JSON.stringify(id)}: SSH_AUTH_SOCK is not set`, {
        hint: 'start ssh-agent, or give its socket: --ssh default=/path',
      });
    if (!statSync(socket, { throwIfNoEntry: false })?.isSocket())
      throw invalidArgument(`cannot use ssh agent ${JSON.stringify(id)}: ${JSON.stringify(socket)} is no socket`, {
        hint: 'keys are given through an agent: ssh-add them',
      });
    agents.set(id, socket);
  }
  return agents;
}
