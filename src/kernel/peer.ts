import { bind, checked } from './system-call.ts';

const getsockopt = bind('int getsockopt(int fd, int level, int name, _Out_ void *value, _Inout_ void *size)');

/** asm-generic/socket.h */
const solSocket = 1;
const peerCredentials = 17;

export interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** Who is at the other end of a connected unix socket, as the kernel noted when it was made (unix(7), SO_PEERCRED). */
export function peerOf(fd: number): Peer {
  const value = Buffer.alloc(12);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(value.length);
  checked(getsockopt(fd, solSocket, peerCredentials, value, size), 'getsockopt SO_PEERCRED');
  return { pid: value.readInt32LE(0), uid: value.readUInt32LE(4), gid: value.readUInt32LE(8) };
}
