import type { Writable } from 'node:stream';
import { SlipwayError } from '../base/errors.ts';

const headerSize = 8;

/** Takes docker's multiplexed stream apart; waits for whoever reads slowly. */
export async function copyMultiplexed(
  source: AsyncIterable<Uint8Array>,
  stdout: Writable,
  stderr: Writable,
): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    let bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    while (bytes.length >= headerSize) {
      const length = bytes.readUInt32BE(4);
      if (bytes.length < headerSize + length) break;
      const stream = bytes[0];
      if (stream === 3) throw new SlipwayError('internal', bytes.toString('utf8', headerSize, headerSize + length));
      await write(stream === 2 ? stderr : stdout, bytes.subarray(headerSize, headerSize + length));
      bytes = bytes.subarray(headerSize + length);
    }
    rest = Buffer.from(bytes);
  }
}

function write(stream: Writable, bytes: Buffer): Promise<void> | undefined {
  if (stream.write(bytes)) return undefined;
  return new Promise((resolve) => stream.once('drain', resolve));
}
