import { AsyncQueue } from '../../base/async.ts';
import { SlipwayError } from '../../base/errors.ts';
import { type Packet, Packet_PacketType as PacketType, type Stat } from '../gen/fsutil_pb.js';
import { EntryOrder } from './entry-order.ts';
import { fileModeOfGo } from './go-file-mode.ts';
import type { PacketInit } from './send-tree.ts';
import { type DestinationOptions, TreeDestination } from './tree-destination.ts';

export interface ReceiveOptions extends DestinationOptions {
  /** Bytes of files that came so far. */
  readonly onBytes?: ((total: number) => void) | undefined;
  /** More entries are refused. */
  readonly entryLimit?: number | undefined;
}

/** What a transfer came to. */
export interface ReceivedTree {
  readonly entries: number;
  readonly filesReceived: number;
  readonly bytesReceived: number;
  /** Devices and sockets, which are not made. */
  readonly skipped: readonly string[];
}

const defaultEntryLimit = 5_000_000;

/**
 * The receiver's side of DiffCopy. Send `outgoing` to the other side and give what it says to `receive`; files that lie in the
 * destination with the same size and time are not asked for again.
 */
export class TreeReceiver {
  readonly outgoing: AsyncIterable<PacketInit>;
  readonly #queue = new AsyncQueue<PacketInit>();
  readonly #options: ReceiveOptions;
  readonly #destination: TreeDestination;
  readonly #order = new EntryOrder();
  readonly #wanted = new Map<number, { readonly stat: Stat; fd: number | undefined }>();
  #entries = 0;
  #filesReceived = 0;
  #bytesReceived = 0;
  #listed = false;
  #finished = false;

  constructor(directory: string, options: ReceiveOptions) {
    this.#options = options;
    this.#destination = new TreeDestination(directory, options);
    this.outgoing = this.#queue;
  }

  /** Resolves once everything lies in the destination. */
  async receive(incoming: AsyncIterable<Packet>): Promise<ReceivedTree> {
    try {
      await this.#receive(incoming);
    } catch (error) {
      for (const { fd } of this.#wanted.values()) if (fd !== undefined) this.#destination.abandon(fd);
      this.#queue.fail(error);
      throw error;
    }
    return {
      entries: this.#entries,
      filesReceived: this.#filesReceived,
      bytesReceived: this.#bytesReceived,
      skipped: this.#destination.skipped,
    };
  }

  async #receive(incoming: AsyncIterable<Packet>): Promise<void> {
    for await (const packet of incoming) {
      if (packet.type === PacketType.PACKET_STAT) this.#onStat(packet.stat);
      else if (packet.type === PacketType.PACKET_DATA) this.#onData(packet);
      else if (packet.type === PacketType.PACKET_ERR) throw gaveUp(packet);
      else if (packet.type === PacketType.PACKET_FIN && this.#finished) this.#queue.end();
      this.#finishIfComplete();
    }
    if (!this.#finished) {
      throw new SlipwayError('unavailable', 'cannot receive files: the other side went away before the last one');
    }
    this.#queue.end();
  }

  #onStat(stat: Stat | undefined): void {
    if (this.#listed)
      throw new SlipwayError('invalid-argument', 'cannot receive files: the list went on after its end');
    if (!stat) {
      this.#listed = true;
      return;
    }
    const id = this.#entries++;
    const limit = this.#options.entryLimit ?? defaultEntryLimit;
    if (id >= limit) throw new SlipwayError('resource-exhausted', `cannot receive files: more than ${limit} entries`);
    this.#order.check(stat.path, fileModeOfGo(stat.mode).type === 'directory');
    if (!this.#destination.place(stat)) return;
    this.#wanted.set(id, { stat, fd: undefined });
    this.#queue.push({ type: PacketType.PACKET_REQ, ID: id });
  }

  #onData({ ID, data }: Packet): void {
    const file = this.#wanted.get(ID);
    if (!file) throw new SlipwayError('invalid-argument', `cannot receive bytes of file ${ID}: it was not asked for`);
    file.fd ??= this.#destination.open(file.stat);
    if (data.length > 0) {
      this.#destination.write(file.fd, data);
      this.#bytesReceived += data.length;
      this.#options.onBytes?.(this.#bytesReceived);
      return;
    }
    this.#wanted.delete(ID);
    this.#destination.close(file.fd, file.stat);
    this.#filesReceived++;
  }

  #finishIfComplete(): void {
    if (this.#finished || !this.#listed || this.#wanted.size > 0) return;
    this.#finished = true;
    this.#destination.finish();
    this.#queue.push({ type: PacketType.PACKET_FIN });
  }
}

function gaveUp(packet: Packet): SlipwayError {
  return new SlipwayError('internal', `cannot receive files: the sender says ${Buffer.from(packet.data).toString()}`);
}
