import { type StatusResponse, StatusResponseSchema } from '../../../api/gen/control_pb.js';
import { fromBinary } from '../../../api/message/decode.ts';
import { toBinary } from '../../../api/message/encode.ts';
import type { ProgressEvent } from '../progress-log.ts';
import { statusMessage } from '../status-message.ts';

/** BuildKit's form of a build's progress at rest: each message after its length in four bytes, the lowest first. */
export const logMediaType = 'application/vnd.buildkit.status.v0';

export function writeLogBlob(events: readonly ProgressEvent[]): Uint8Array {
  const parts = events.flatMap((event) => {
    const message = toBinary(StatusResponseSchema, statusMessage(event));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(message.length);
    return [length, message];
  });
  return Buffer.concat(parts);
}

export function* readLogBlob(bytes: Uint8Array): Generator<StatusResponse, void> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 4 <= buffer.length; ) {
    const end = at + 4 + buffer.readUInt32LE(at);
    yield fromBinary(StatusResponseSchema, buffer.subarray(at + 4, end));
    at = end;
  }
}
