import type { Scalar } from './schema.ts';

/** https://protobuf.dev/programming-guides/encoding/#structure */
export const wireType = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

/** Messages inside messages go no deeper. */
export const depthLimit = 100;

export function wireTypeOf(type: Scalar): number {
  switch (type) {
    case 'string':
    case 'bytes':
      return wireType.bytes;
    case 'double':
    case 'fixed64':
    case 'sfixed64':
      return wireType.fixed64;
    case 'float':
    case 'fixed32':
    case 'sfixed32':
      return wireType.fixed32;
    default:
      return wireType.varint;
  }
}
