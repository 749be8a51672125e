import type { Duplex } from 'node:stream';
import { clientPreface, type Frame, FrameReader, frame, frameFlag, frameHeader, frameType } from './frames.ts';
import { type HeaderBlock, HeaderBlocks } from './header-blocks.ts';
import { type HeaderList, headerOf } from './headers.ts';
import { encodeHeaders } from './hpack-encoder.ts';
import { ConnectionError, errorCode } from './http2-error.ts';
import { Output } from './output.ts';
import { ResetBudget } from './reset-budget.ts';
import { greeting, readSettings } from './settings.ts';
import { Http2Stream, type StreamCarrier } from './stream.ts';
import {
  connectionWindow,
  initialFrameLimit,
  initialWindow,
  largestWindow,
  receivedFrameLimit,
  receiveWindow,
  streamLimit,
} from './windows.ts';

/** Calls that are made before the other side has said how many it takes (RFC 9113 §6.5.2 advises as much). */
const cautiousStreams = 100;

export interface ConnectionOptions {
  /** Makes this the server's side: gets each call when its headers have come. */
  readonly onCall?: ((stream: Http2Stream) => void) | undefined;
}

/**
 * HTTP/2 (RFC 9113) as gRPC needs it, over any duplex stream: no priorities, no push. `node:http2` does more, but loading it took a
 * fifth of a no-op build's time in the command line.
 */
export class Http2Connection {
  readonly #transport: Duplex;
  readonly #onCall: ((stream: Http2Stream) => void) | undefined;
  readonly #streams = new Map<number, Http2Stream>();
  readonly #frames = new FrameReader(receivedFrameLimit);
  readonly #blocks = new HeaderBlocks();
  readonly #output: Output;
  readonly #gone = Promise.withResolvers<void>();
  readonly #pings: (() => void)[] = [];
  readonly #resets = new ResetBudget();
  /** Streams with something to send, in the order of their turn. */
  readonly #ready = new Set<Http2Stream>();
  /** Calls beyond the other side's limit. */
  readonly #waiting: (() => void)[] = [];
  /** What has come of the client's preface; undefined when it is complete. */
  #preface: Buffer | undefined;
  #nextStream = 1;
  #lastStream = 0;
  #sendWindow = initialWindow;
  #uncredited = 0;
  #peerWindow = initialWindow;
  #peerFrameLimit = initialFrameLimit;
  #peerStreams = cautiousStreams;
  #isLeaving = false;
  #isGone = false;
  #failure: unknown;

  constructor(transport: Duplex, { onCall }: ConnectionOptions = {}) {
    this.#transport = transport;
    this.#onCall = onCall;
    this.#output = new Output(transport, () => this.#fill());
    if (onCall) this.#preface = Buffer.alloc(0);
    else this.#output.add(clientPreface);
    this.#output.add(greeting(onCall !== undefined));
    transport.on('data', (chunk: Buffer) => this.#receive(chunk));
    transport.on('error', (error) => this.destroy(error));
    transport.on('end', () => this.destroy());
    transport.on('close', () => this.destroy());
    transport.resume();
  }

  /** No call can be made any more. */
  get closed(): boolean {
    return this.#isGone || this.#isLeaving;
  }

  /** Why it is gone, where that is known. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Resolves when the connection is gone. */
  get whenClosed(): Promise<void> {
    return this.#gone.promise;
  }

  /** Begins a call. */
  request(headers: HeaderList): Http2Stream {
    const stream = new Http2Stream(this.#nextStream, this.#peerWindow, this.#carrier);
    this.#nextStream += 2;
    const start = () => {
      if (stream.closed) return;
      this.#streams.set(stream.id, stream);
      stream.respond(headers);
      this.#wake(stream);
    };
    // Numbers must rise on the wire: who comes after one that waits, waits as well.
    if (this.#waiting.length > 0 || this.#streams.size >= this.#peerStreams) this.#waiting.push(start);
    else start();
    return stream;
  }

  /** Asks for a sign of life. */
  ping(answered: () => void): void {
    this.#pings.push(answered);
    this.#output.add(frame(frameType.ping, 0, 0, Buffer.alloc(8)));
  }

  destroy(error?: unknown): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#failure = error;
    for (const stream of this.#streams.values())
      stream.fail(error instanceof Error ? error : new Error('the connection was closed'));
    this.#transport.destroy();
    this.#gone.resolve();
  }

  readonly #carrier: StreamCarrier = {
    sendHeaders: (stream, headers, endStream) => this.#sendHeaders(stream, headers, endStream),
    sendReset: ({ id }, code) => {
      if (this.#streams.has(id)) this.#output.add(frame(frameType.rstStream, 0, id, uint32(code)));
    },
    wake: (stream) => this.#wake(stream),
    credit: (stream, bytes) => this.#credit(stream, bytes),
    closed: (stream) => this.#forget(stream),
  };

  #sendHeaders({ id }: Http2Stream, headers: HeaderList, endStream: boolean): void {
    const block = encodeHeaders(headers);
    for (let at = 0; at < block.length; at += this.#peerFrameLimit) {
      const piece = block.subarray(at, at + this.#peerFrameLimit);
      const isLast = at + piece.length === block.length;
      const end = at === 0 && endStream ? frameFlag.endStream : 0;
      const type = at === 0 ? frameType.headers : frameType.continuation;
      this.#output.add(frame(type, (isLast ? frameFlag.endHeaders : 0) | end, id, piece));
    }
  }

  #wake(stream: Http2Stream): void {
    if (!this.#streams.has(stream.id)) return;
    this.#ready.add(stream);
    this.#output.wake();
  }

  #credit(stream: Http2Stream, bytes: number): void {
    stream.uncredited += bytes;
    if (stream.uncredited < receiveWindow / 2) return;
    stream.receiveWindow += stream.uncredited;
    this.#output.add(frame(frameType.windowUpdate, 0, stream.id, uint32(stream.uncredited)));
    stream.uncredited = 0;
  }

  #forget(stream: Http2Stream): void {
    this.#streams.delete(stream.id);
    this.#ready.delete(stream);
    this.#startWaiting();
  }

  #startWaiting(): void {
    while (this.#streams.size < this.#peerStreams && !this.#isGone && this.#waiting.length > 0)
      this.#waiting.shift()?.();
  }

  /** Frames of those who have something to send, one of each in turn, as far as windows and room go. */
  #fill(): void {
    for (let isMoving = true; isMoving; ) {
      isMoving = false;
      for (const stream of [...this.#ready]) isMoving = this.#sendFrom(stream) || isMoving;
    }
  }

  #sendFrom(stream: Http2Stream): boolean {
    const limit = Math.min(this.#output.room, this.#sendWindow, stream.sendWindow, this.#peerFrameLimit);
    const piece = stream.take(limit);
    if (piece) {
      const { data, last } = piece;
      this.#sendWindow -= data.length;
      stream.sendWindow -= data.length;
      const flags = last ? frameFlag.endStream : 0;
      this.#output.add(frameHeader(data.length, frameType.data, flags, stream.id), data);
    }
    const end = stream.takeEnd();
    if (end) {
      if (end.trailers) this.#sendHeaders(stream, end.trailers, true);
      else this.#output.add(frameHeader(0, frameType.data, frameFlag.endStream, stream.id));
      stream.ended();
      // RFC 9113 §8.1: what is still on its way here is not needed any more.
      if (this.#onCall && !stream.remoteEnded) stream.reset(errorCode.noError);
    }
    if (!stream.hasOutput) this.#ready.delete(stream);
    return piece !== undefined || end !== undefined;
  }

  #receive(chunk: Buffer): void {
    try {
      const rest = this.#preface ? this.#readPreface(this.#preface, chunk) : chunk;
      if (rest) this.#frames.read(rest, (each) => this.#handle(each));
    } catch (error) {
      this.#leave(error);
    }
  }

  #readPreface(before: Buffer, chunk: Buffer): Buffer | undefined {
    const bytes = Buffer.concat([before, chunk]);
    const length = Math.min(bytes.length, clientPreface.length);
    if (!bytes.subarray(0, length).equals(clientPreface.subarray(0, length)))
      throw new ConnectionError(errorCode.protocolError, 'the connection does not begin as HTTP/2 does');
    this.#preface = length < clientPreface.length ? bytes : undefined;
    return this.#preface ? undefined : bytes.subarray(length);
  }

  /** Says why and goes. */
  #leave(error: unknown): void {
    if (this.#isGone) return;
    const code = error instanceof ConnectionError ? error.code : errorCode.internalError;
    this.#output.add(frame(frameType.goaway, 0, 0, Buffer.concat([uint32(this.#lastStream), uint32(code)])));
    this.#output.flush();
    this.destroy(error);
  }

  #handle(each: Frame): void {
    if (this.#isGone) return;
    this.#blocks.expect(each.type, each.stream);
    // RFC 9113 §5.5: frames of unknown types are passed over, and priorities are advice.
    this.#handlers[each.type]?.(each);
  }

  readonly #handlers: Readonly<Record<number, (frame: Frame) => void>> = {
    [frameType.data]: (each) => this.#onData(each),
    [frameType.headers]: (each) => this.#onBlock(each),
    [frameType.continuation]: (each) => this.#onBlock(each),
    [frameType.rstStream]: (each) => this.#onReset(each),
    [frameType.settings]: (each) => this.#onSettings(each),
    [frameType.ping]: (each) => this.#onPing(each),
    [frameType.goaway]: (each) => this.#onGoaway(each),
    [frameType.windowUpdate]: (each) => this.#onWindowUpdate(each),
    [frameType.pushPromise]: () => {
      throw new ConnectionError(errorCode.protocolError, 'a push was promised that nobody allowed');
    },
  };

  #onData({ stream: id, flags, payload }: Frame): void {
    this.#uncredited += payload.length;
    if (this.#uncredited >= connectionWindow / 2) {
      this.#output.add(frame(frameType.windowUpdate, 0, 0, uint32(this.#uncredited)));
      this.#uncredited = 0;
    }
    const stream = this.#streams.get(id);
    if (!stream) {
      if (this.#isUnknown(id))
        throw new ConnectionError(errorCode.protocolError, `data for stream ${id}, which is not open`);
      return;
    }
    stream.receiveWindow -= payload.length;
    if (stream.receiveWindow < 0) {
      stream.reset(errorCode.flowControlError);
      return;
    }
    const data = flags & frameFlag.padded ? withoutPadding(payload) : payload;
    if (data.length < payload.length) this.#credit(stream, payload.length - data.length);
    stream.receive(data);
    if (flags & frameFlag.endStream) stream.receiveEnd();
  }

  /** Never begun, as opposed to over. */
  #isUnknown(id: number): boolean {
    return id === 0 || (this.#onCall ? id > this.#lastStream : id >= this.#nextStream);
  }

  #onBlock({ type, flags, stream: id, payload }: Frame): void {
    const block = this.#blocks.add(type, flags, id, payload);
    if (!block) return;
    const stream = this.#streams.get(id);
    if (stream) receiveHeaders(stream, block.headers);
    if (block.endStream) stream?.receiveEnd();
    if (stream || !this.#isUnknown(id)) return;
    if (!this.#onCall || id % 2 === 0)
      throw new ConnectionError(errorCode.protocolError, `headers for stream ${id}, which is not open`);
    this.#lastStream = id;
    this.#openCall(new Http2Stream(id, this.#peerWindow, this.#carrier), block, this.#onCall);
  }

  #openCall(stream: Http2Stream, block: HeaderBlock, onCall: (stream: Http2Stream) => void): void {
    this.#streams.set(stream.id, stream);
    receiveHeaders(stream, block.headers);
    if (block.endStream) stream.receiveEnd();
    if (this.#streams.size > streamLimit || this.#isLeaving) stream.reset(errorCode.refusedStream);
    else onCall(stream);
  }

  #onReset({ stream: id, payload }: Frame): void {
    if (this.#onCall && !this.#resets.take())
      throw new ConnectionError(errorCode.enhanceYourCalm, 'calls are reset too often');
    this.#streams.get(id)?.fail(new Error(`the other side reset the stream (${payload.readUInt32BE(0)})`));
  }

  #onSettings({ flags, payload }: Frame): void {
    if (flags & frameFlag.ack) return;
    const { window, frameLimit, streams } = readSettings(payload);
    if (window !== undefined) {
      for (const stream of this.#streams.values()) {
        stream.sendWindow += window - this.#peerWindow;
        this.#wake(stream);
      }
      this.#peerWindow = window;
    }
    this.#peerFrameLimit = Math.min(frameLimit ?? this.#peerFrameLimit, receivedFrameLimit);
    this.#peerStreams =
      streams ?? (this.#peerStreams === cautiousStreams ? Number.POSITIVE_INFINITY : this.#peerStreams);
    this.#startWaiting();
    this.#output.add(frame(frameType.settings, frameFlag.ack, 0, Buffer.alloc(0)));
  }

  #onPing({ flags, payload }: Frame): void {
    if (flags & frameFlag.ack) this.#pings.shift()?.();
    else this.#output.add(frame(frameType.ping, frameFlag.ack, 0, payload.subarray(0, 8)));
  }

  #onGoaway({ payload }: Frame): void {
    this.#isLeaving = true;
    const last = payload.readUInt32BE(0) & 0x7fff_ffff;
    for (const stream of [...this.#streams.values()])
      if (!this.#onCall && stream.id > last) stream.fail(new Error('the other side takes no more calls'));
  }

  #onWindowUpdate({ stream: id, payload }: Frame): void {
    const increment = payload.readUInt32BE(0) & 0x7fff_ffff;
    const stream = this.#streams.get(id);
    if (id === 0) {
      this.#sendWindow += increment;
      if (increment === 0 || this.#sendWindow > largestWindow)
        throw new ConnectionError(errorCode.flowControlError, 'the window is too large');
      this.#output.wake();
    } else if (stream) {
      stream.sendWindow += increment;
      if (increment === 0 || stream.sendWindow > largestWindow) stream.reset(errorCode.flowControlError);
      else this.#wake(stream);
    }
  }
}

/** Informational answers come before the real one. */
function receiveHeaders(stream: Http2Stream, headers: HeaderList): void {
  if (stream.headers) stream.trailers = headers;
  else if (!headerOf(headers, ':status')?.startsWith('1')) stream.headers = headers;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}

/** RFC 9113 §6.1. */
function withoutPadding(payload: Buffer): Buffer {
  const padding = payload[0] ?? 0;
  if (padding >= payload.length) throw new ConnectionError(errorCode.protocolError, 'a frame is all padding');
  return payload.subarray(1, payload.length - padding);
}
