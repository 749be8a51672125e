import { chmodSync, existsSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { invalidArgument, SlipwayError, systemErrorCode } from '../base/errors.ts';

export interface ListenOptions {
  readonly address: string;
  readonly onConnection: (socket: Socket) => void;
}

/** Listens on `unix://PATH` or `tcp://HOST:PORT`. A socket file that nobody serves any more is replaced; one that is served is left alone. */
export async function listen({ address, onConnection }: ListenOptions): Promise<Server> {
  // Half-open: a client that has sent everything still waits for the answer.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
  const unix = /^unix:\/\/(.+)$/.exec(address)?.[1];
  const tcp = /^tcp:\/\/(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(address);
  if (unix !== undefined) {
    mkdirSync(dirname(unix), { recursive: true, mode: 0o710 });
    await removeStaleSocket(unix);
    await start(server, address, () => server.listen(unix));
    // Whoever may talk to the daemon is root on this machine.
    chmodSync(unix, 0o600);
    return server;
  }
  if (!tcp)
    throw invalidArgument(`cannot listen on ${JSON.stringify(address)}`, {
      hint: 'want unix:///path or tcp://host:port',
    });
  const host = (tcp[1] ?? '').replace(/^\[|\]$/g, '');
  await start(server, address, () => server.listen(Number(tcp[2]), host));
  return server;
}

function start(server: Server, address: string, begin: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (error) => {
      const code = systemErrorCode(error);
      const hint =
        code === 'EACCES'
          ? 'it needs root, or another address with --addr'
          : code === 'EADDRINUSE'
            ? 'another program listens there'
            : undefined;
      reject(
        new SlipwayError(
          code === 'EACCES' ? 'permission-denied' : 'unavailable',
          `cannot listen on ${JSON.stringify(address)}: ${error.message}`,
          { hint, cause: error },
        ),
      );
    });
    begin();
  });
}

async function removeStaleSocket(path: string): Promise<void> {
  if (!existsSync(path)) return;
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (alive)
    throw new SlipwayError('already-exists', `cannot listen on "unix://${path}": a daemon answers there already`, {
      hint: 'use that one, or stop it',
    });
  unlinkSync(path);
}
