import { connect as connectSocket, type Socket } from 'node:net';
import { GrpcChannel } from '../api/grpc/channel.ts';
import { errorMessage, SlipwayError, systemErrorCode } from '../base/errors.ts';
import { type DaemonAddress, parseDaemonAddress } from './daemon-address.ts';

/** Opens a connection. Throws unavailable when nothing listens, permission-denied when the socket is somebody else's. */
export async function connectSocketTo(address: DaemonAddress, signal?: AbortSignal): Promise<Socket> {
  const socket =
    address.kind === 'unix'
      ? connectSocket(address.path)
      : connectSocket({ host: address.host, port: address.port, noDelay: true });
  const abort = () => socket.destroy(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  } catch (error) {
    signal?.throwIfAborted();
    throw refused(address, error);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  return socket;
}

function refused(address: DaemonAddress, error: unknown): SlipwayError {
  const where = address.kind === 'unix' ? `unix://${address.path}` : `tcp://${address.host}:${address.port}`;
  const denied = systemErrorCode(error) === 'EACCES';
  return new SlipwayError(
    denied ? 'permission-denied' : 'unavailable',
    `cannot connect to the daemon at "${where}": ${errorMessage(error)}`,
    { cause: error, hint: denied ? 'the socket belongs to another user' : 'is the daemon running?' },
  );
}

/** Asks tcp peers for signs of life; a unix socket tells by itself when the other side is gone. Milliseconds. */
const keepAlive = 30_000;

/** The daemon's services at an address. */
export async function connectDaemon(address: string, signal?: AbortSignal): Promise<GrpcChannel> {
  const parsed = parseDaemonAddress(address);
  const socket = await connectSocketTo(parsed, signal);
  return new GrpcChannel(socket, parsed.kind === 'tcp' ? { keepAlive } : {});
}
