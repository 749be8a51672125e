import { chmodSync, chownSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { isErrorCode, SlipwayError } from '../base/errors.ts';
import type { OpContext } from '../solver/op.ts';
import type { WorkerServices } from './worker-services.ts';

/** A socket that the step may talk to as if it were the client's ssh agent. */
export interface ForwardedAgent {
  readonly path: string;
  close(): void;
}

/** Listens at `path` and carries each connection to the client; undefined when no client offers the agent and it is optional. */
export async function forwardSshAgent(
  ssh: {
    readonly ID: string;
    readonly uid: number;
    readonly gid: number;
    readonly mode: number;
    readonly optional: boolean;
  },
  path: string,
  services: WorkerServices,
  context: OpContext,
): Promise<ForwardedAgent | undefined> {
  const id = ssh.ID || 'default';
  try {
    await services.sessions.checkSshAgent(context.sessions(), id, context.signal);
  } catch (error) {
    if (!isErrorCode(error, 'not-found') && !isErrorCode(error, 'unimplemented')) throw error;
    if (ssh.optional) return undefined;
    throw new SlipwayError('not-found', `cannot find ssh agent ${JSON.stringify(id)} that the step requires`, {
      hint: `give it with --ssh ${id}, and see that an agent runs (SSH_AUTH_SOCK)`,
      cause: error,
    });
  }
  const connections = new Set<Socket>();
  const server = createServer((connection) => {
    connections.add(connection);
    connection.on('error', () => connection.destroy());
    connection.on('close', () => connections.delete(connection));
    services.sessions.sshAgent(context.sessions(), id, context.signal).then(
      (agent) => {
        agent.on('error', () => connection.destroy());
        connection.on('close', () => agent.destroy());
        connection.pipe(agent).pipe(connection);
      },
      () => connection.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  chownSync(path, ssh.uid, ssh.gid);
  chmodSync(path, ssh.mode & 0o777);
  return {
    path,
    close: () => {
      server.close();
      for (const connection of connections) connection.destroy();
    },
  };
}
