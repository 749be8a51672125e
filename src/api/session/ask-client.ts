import type { Duplex } from 'node:stream';
import { SlipwayError } from '../../base/errors.ts';
import { Auth } from '../gen/filesync_pb.js';
import { Secrets } from '../gen/secrets_pb.js';
import { SSH } from '../gen/ssh_pb.js';
import { Upload } from '../gen/upload_pb.js';
import { Tunnel } from '../grpc/tunnel.ts';
import type { Session } from './session.ts';

/** Secrets larger than this are refused, as BuildKit does. Bytes. */
export const secretLimit = 500 * 1024;

export const sshIdHeader = 'buildkit.ssh.id';
export const uploadPathHeader = 'urlpath';

/** Throws not-found when the client has no such secret. */
export async function getSecret(session: Session, id: string, signal?: AbortSignal): Promise<Uint8Array> {
  const { data } = await session.client(Secrets, Secrets.method.getSecret).getSecret({ ID: id }, { signal });
  if (data.length > secretLimit) {
    throw new SlipwayError('resource-exhausted', `cannot use secret "${id}": it is larger than ${secretLimit} bytes`);
  }
  return data;
}

/** What the client would log in with at a registry; undefined for an anonymous request. */
export async function getCredentials(
  session: Session,
  host: string,
  signal?: AbortSignal,
): Promise<{ readonly username: string; readonly secret: string } | undefined> {
  if (!session.supports(Auth.method.credentials)) return undefined;
  const client = session.client(Auth, Auth.method.credentials);
  const { Username, Secret } = await client.credentials({ Host: host }, { signal });
  return Username === '' && Secret === '' ? undefined : { username: Username, secret: Secret };
}

/** Throws not-found when the client does not offer the agent. */
export async function checkSshAgent(session: Session, id: string, signal?: AbortSignal): Promise<void> {
  await session.client(SSH, SSH.method.checkAgent).checkAgent({ ID: id }, { signal });
}

/** A connection to the client's ssh agent. */
export function openSshAgent(session: Session, id: string, signal?: AbortSignal): Duplex {
  const client = session.client(SSH, SSH.method.forwardAgent);
  return Tunnel.open((outgoing) => client.forwardAgent(outgoing, { metadata: { [sshIdHeader]: id }, signal }));
}

/** The bytes that the client offers under a path, such as a context from its standard input. */
export async function* pullUpload(
  session: Session,
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const client = session.client(Upload, Upload.method.pull);
  const messages = client.pull(nothing(), { metadata: { [uploadPathHeader]: path }, signal });
  for await (const { data } of messages) yield data;
}

async function* nothing(): AsyncGenerator<never, void> {}
