import type { Digest } from '../base/digest.ts';

/** One step in the life of a layer or blob on its way, for whoever shows progress. */
export interface TransferProgress {
  readonly digest: Digest;
  readonly state:
    | 'waiting'
    | 'fetching'
    | 'fetched'
    | 'exists'
    | 'unpacking'
    | 'unpacked'
    | 'pushing'
    | 'pushed'
    | 'mounted';
  /** Bytes so far and in all. */
  readonly current?: number;
  readonly total?: number;
}

export type OnTransfer = (progress: TransferProgress) => void;

/** Passes the bytes through and tells how many have passed, at most every 100 ms and at the end. */
export async function* countBytes(
  bytes: AsyncIterable<Uint8Array>,
  tell: (current: number) => void,
): AsyncGenerator<Uint8Array, void> {
  let current = 0;
  let told = 0;
  for await (const chunk of bytes) {
    current += chunk.length;
    const now = performance.now();
    if (now - told >= 100) {
      told = now;
      tell(current);
    }
    yield chunk;
  }
  tell(current);
}
