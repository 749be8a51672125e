import { SlipwayError } from '../../base/errors.ts';
import type { Http2Stream } from '../http2/stream.ts';

/** grpc/doc/PROTOCOL-HTTP2.md: one byte compressed-flag, four bytes length, the message. */
const headerLength = 5;

/** Larger messages are refused before they are buffered, unless one says otherwise. Bytes. */
export const defaultMessageLimit = 16 * 1024 * 1024;

/** Wraps a marshalled message, without copying it into a larger buffer twice. */
export function frameMessage(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headerLength + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, headerLength);
  return frame;
}

/** The messages of a stream in order; ends with it. Throws on a message that is cut, compressed unknown or too large. */
export async function* readMessages(
  stream: AsyncIterable<Buffer>,
  messageLimit = defaultMessageLimit,
): AsyncGenerator<Uint8Array, void> {
  let buffered: Buffer = Buffer.alloc(0);
  const parts: Buffer[] = [];
  let waiting = headerLength;
  let size = 0;
  for await (const chunk of stream) {
    parts.push(chunk);
    size += chunk.length;
    if (size < waiting) continue;
    buffered = parts.length === 1 ? (parts[0] ?? buffered) : Buffer.concat(parts);
    parts.length = 0;
    let at = 0;
    for (waiting = headerLength; buffered.length - at >= headerLength; ) {
      const length = buffered.readUInt32BE(at + 1);
      if (length > messageLimit) {
        throw new SlipwayError(
          'resource-exhausted',
          `cannot read a message of ${length} bytes: the limit is ${messageLimit}`,
        );
      }
      if (buffered.length - at < headerLength + length) {
        waiting = headerLength + length;
        break;
      }
      const message = buffered.subarray(at + headerLength, at + headerLength + length);
      yield buffered[at] === 1 ? inflate(message, messageLimit) : message;
      at += headerLength + length;
    }
    const rest = buffered.subarray(at);
    size = rest.length;
    if (size > 0) parts.push(rest);
  }
  if (size > 0) throw new SlipwayError('data-loss', 'cannot read a message: the stream ended inside it');
}

function inflate(message: Uint8Array, limit: number): Uint8Array {
  try {
    return process.getBuiltinModule('node:zlib').gunzipSync(message, { maxOutputLength: limit });
  } catch (error) {
    throw new SlipwayError('resource-exhausted', `cannot inflate a message to at most ${limit} bytes`, {
      cause: error,
    });
  }
}

/** Writes one message; answers a promise to wait for when the other side does not keep up. */
export function writeMessage(stream: Http2Stream, message: Uint8Array): Promise<void> | undefined {
  if (!stream.writable) throw new SlipwayError('canceled', 'cannot send a message: the call has ended');
  return stream.write(frameMessage(message));
}
