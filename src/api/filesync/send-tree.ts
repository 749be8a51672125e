import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { SlipwayError } from '../../base/errors.ts';
import { type Packet, type PacketSchema, Packet_PacketType as PacketType } from '../gen/fsutil_pb.js';
import type { InitOf } from '../message/schema.ts';
import { fileModeOfGo } from './go-file-mode.ts';
import type { TreeEntry } from './walk-tree.ts';

export type PacketInit = InitOf<typeof PacketSchema>;

/** Bytes of a file per packet. */
const pieceSize = 64 * 1024;

/**
 * The sender's side of DiffCopy: tells of every entry, then sends the files that the other side asks for, until it has said
 * that it is done. The bytes of a packet are only valid until the next one is taken.
 */
export async function* sendTree(
  root: string,
  entries: Iterable<TreeEntry>,
  incoming: AsyncIterable<Packet>,
): AsyncGenerator<PacketInit, void> {
  const requests = new Requests(incoming);
  // Position in the list → path; undefined for what is no plain file.
  const files: (string | undefined)[] = [];
  for (const entry of entries) {
    files.push(isRequestable(entry) ? entry.path : undefined);
    yield { type: PacketType.PACKET_STAT, stat: entry };
    for (let id = requests.take(); id !== undefined; id = requests.take()) yield* sendFile(root, files, id);
  }
  yield { type: PacketType.PACKET_STAT };
  while (await requests.wait()) {
    for (let id = requests.take(); id !== undefined; id = requests.take()) yield* sendFile(root, files, id);
  }
  yield { type: PacketType.PACKET_FIN };
}

function isRequestable(entry: TreeEntry): boolean {
  return fileModeOfGo(entry.mode ?? 0).type === 'file';
}

function* sendFile(root: string, files: readonly (string | undefined)[], id: number): Generator<PacketInit, void> {
  const path = files[id];
  if (path === undefined) throw new SlipwayError('invalid-argument', `cannot send file ${id}: it was not offered`);
  const fd = openSync(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.allocUnsafe(pieceSize);
    for (;;) {
      const length = readSync(fd, buffer, 0, pieceSize, null);
      if (length === 0) break;
      yield { type: PacketType.PACKET_DATA, ID: id, data: buffer.subarray(0, length) };
      if (length < pieceSize) break;
    }
  } finally {
    closeSync(fd);
  }
  yield { type: PacketType.PACKET_DATA, ID: id };
}

/** What the other side wants, read in the background while the list is being sent. */
class Requests {
  readonly #ids: number[] = [];
  #next = 0;
  #finished = false;
  #failure: unknown;
  #wake: (() => void) | undefined;

  constructor(incoming: AsyncIterable<Packet>) {
    this.#read(incoming).catch((error: unknown) => {
      this.#failure = error;
      this.#wake?.();
    });
  }

  async #read(incoming: AsyncIterable<Packet>): Promise<void> {
    for await (const packet of incoming) {
      if (packet.type === PacketType.PACKET_REQ) this.#ids.push(packet.ID);
      else if (packet.type === PacketType.PACKET_FIN) this.#finished = true;
      else if (packet.type === PacketType.PACKET_ERR) throw new SlipwayError('internal', refusal(packet.data));
      this.#wake?.();
    }
    if (!this.#finished) throw new SlipwayError('canceled', 'the receiver of files went away before it had them all');
  }

  /** The next file that is wanted, if any is now. */
  take(): number | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#ids[this.#next++] ?? this.#none();
  }

  #none(): undefined {
    this.#ids.length = 0;
    this.#next = 0;
    return undefined;
  }

  /** Waits for the next request; false once the other side has all. */
  async wait(): Promise<boolean> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ids.length > 0) return true;
      if (this.#finished) return false;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function refusal(data: Uint8Array): string {
  return `the receiver of files gave up: ${Buffer.from(data).toString()}`;
}
