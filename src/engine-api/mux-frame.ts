/** docker's multiplexed stream: which stream, three zeros, the length, the bytes (Engine API, ContainerAttach). */
export function muxFrame(stream: 1 | 2, bytes: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(8 + bytes.length);
  frame.fill(0, 0, 8);
  frame[0] = stream;
  frame.writeUInt32BE(bytes.length, 4);
  frame.set(bytes, 8);
  return frame;
}
