import type { Socket } from 'node:net';

/** RFC 9113 §3.4: an HTTP/2 client starts so. No HTTP/1.1 request has the method PRI. */
const preface = Buffer.from('PRI ');

/** Who gets a connection once its first bytes have told what it speaks. The bytes are still to be read then. */
export interface ProtocolHandlers {
  /** Give it to `serveGrpc`. */
  http2(socket: Socket): void;
  /** Give it to an `http.Server` with `server.emit('connection', socket)`. */
  http1(socket: Socket): void;
}

/** Tells HTTP/2 from HTTP/1.1 on one socket. A connection that says nothing for `patience` milliseconds is closed. */
export function sniffProtocol(socket: Socket, handlers: ProtocolHandlers, patience = 120_000): void {
  let first = Buffer.alloc(0);
  const giveUp = () => socket.destroy();
  const timer = setTimeout(giveUp, patience);
  timer.unref();
  const look = (chunk: Buffer) => {
    first = Buffer.concat([first, chunk]);
    const length = Math.min(first.length, preface.length);
    const isHttp2 = preface.subarray(0, length).equals(first.subarray(0, length));
    if (isHttp2 && length < preface.length) return;
    socket.pause();
    socket.off('data', look).off('end', giveUp).off('error', giveUp).off('close', stop);
    stop();
    socket.unshift(first);
    if (isHttp2) {
      handlers.http2(socket);
      return;
    }
    handlers.http1(socket);
    // An http.Server expects a socket that flows.
    process.nextTick(() => socket.resume());
  };
  const stop = () => clearTimeout(timer);
  socket.on('data', look).on('end', giveUp).on('error', giveUp).on('close', stop);
}

/**
 * Answers `Upgrade: h2c` of docker's `POST /grpc` and `POST /session`: from here on the socket speaks HTTP/2, with us as the
 * server for the one and as the client for the other. `head` is what an http.Server's `upgrade` event gives.
 */
export function acceptUpgrade(socket: Socket, head: Uint8Array, protocol = 'h2c'): void {
  socket.setTimeout(0);
  socket.setNoDelay?.(true);
  if (head.length > 0) socket.unshift(head);
  socket.write(`HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
}
