import { closeSync } from 'node:fs';
import { SlipwayError } from '../base/errors.ts';
import { bind, checked, cString } from '../kernel/system-call.ts';

const socketCall = bind('int socket(int domain, int type, int protocol)');
const bindCall = bind('int bind(int fd, const void *address, uint32_t length)');
const listenCall = bind('int listen(int fd, int backlog)');
const acceptCall = bind('int accept4(int fd, void *address, void *length, int flags)');
const recvmsg = bind('long recvmsg(int fd, _Inout_ void *message, int flags)');
const ioctl = bind('int ioctl(int fd, unsigned long request, const void *argument)');

const unixFamily = 1;
const stream = 1;
const nonBlocking = 0o4000;
const closeOnExec = 0o2000000;
const cmsgCloseOnExec = 0x40000000;
const setWindowSize = 0x5414;
/** sys/un.h: sun_path with its NUL. */
const pathLimit = 107;

export function setTerminalSize(fd: number, rows: number, columns: number): void {
  const size = Buffer.alloc(8);
  size.writeUInt16LE(rows, 0);
  size.writeUInt16LE(columns, 2);
  checked(ioctl(fd, setWindowSize, size), 'ioctl TIOCSWINSZ');
}

/** A listening socket on which a runtime sends the master of a pseudo terminal (runc, docs/terminals.md). */
export class ConsoleSocket {
  readonly #listener: number;
  #connection: number | undefined;
  #closed = false;

  constructor(path: string) {
    if (Buffer.byteLength(path) > pathLimit) {
      throw new SlipwayError('failed-precondition', `cannot make a console socket at "${path}": the path is too long`);
    }
    this.#listener = checked(socketCall(unixFamily, stream | nonBlocking | closeOnExec, 0), 'socket');
    const address = Buffer.concat([Buffer.from([unixFamily, 0]), cString(path)]);
    checked(bindCall(this.#listener, address, address.length), 'bind', path);
    checked(listenCall(this.#listener, 1), 'listen', path);
  }

  /** The terminal, if it has come; never waits. The caller closes the descriptor. */
  receive(): number | undefined {
    if (this.#closed) return undefined;
    if (this.#connection === undefined) {
      const connection = acceptCall(this.#listener, null, null, nonBlocking | closeOnExec);
      if (connection < 0) return undefined;
      this.#connection = connection;
    }
    return receiveDescriptor(this.#connection);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#listener);
    if (this.#connection !== undefined) closeSync(this.#connection);
  }
}

// Copies nothing and answers with the address of its target.
const addressCall = bind('int64_t memcpy(void *target, const void *source, size_t size)');
const none = Buffer.alloc(8);
const addressOf = (buffer: Buffer) => BigInt(addressCall(buffer, none, 0));

const socketLevel = 1;
const rightsType = 1;
const headerSize = 56;
const controlHeaderSize = 16;

/** One message with one descriptor in it (recvmsg(2), unix(7) SCM_RIGHTS; 64-bit layouts of msghdr, iovec and cmsghdr). */
function receiveDescriptor(connection: number): number | undefined {
  const data = Buffer.alloc(4096);
  const control = Buffer.alloc(controlHeaderSize + 8);
  const vector = Buffer.alloc(16);
  vector.writeBigInt64LE(addressOf(data), 0);
  vector.writeBigInt64LE(BigInt(data.length), 8);
  const message = Buffer.alloc(headerSize);
  message.writeBigInt64LE(addressOf(vector), 16);
  message.writeBigInt64LE(1n, 24);
  message.writeBigInt64LE(addressOf(control), 32);
  message.writeBigInt64LE(BigInt(control.length), 40);
  if (recvmsg(connection, message, cmsgCloseOnExec) <= 0) return undefined;
  const isRights = control.readUInt32LE(8) === socketLevel && control.readUInt32LE(12) === rightsType;
  if (message.readBigInt64LE(40) < BigInt(controlHeaderSize + 4) || !isRights) return undefined;
  return control.readInt32LE(controlHeaderSize);
}
