import { sendTree } from '../filesync/send-tree.ts';
import { walkTree } from '../filesync/walk-tree.ts';
import { FileSend } from '../gen/filesync_pb.js';
import { PacketSchema } from '../gen/fsutil_pb.js';
import { create } from '../message/create.ts';
import { fromBinary } from '../message/decode.ts';
import { toBinary } from '../message/encode.ts';
import type { Session } from './session.ts';

/** Names of the metadata of `FileSend.DiffCopy` (moby/buildkit, session/filesync). */
export const fileSendHeaders = {
  exporter: 'buildkit-attachable-exporter-id',
  multiPlatform: 'buildkit-exporter-multi-platform',
  metadata: 'exporter-md-',
} as const;

export interface ExportOptions {
  /** Which of the client's targets is meant: the exporter's position in the request. */
  readonly exporter: number;
  /** Told to the client, such as `containerimage.digest`. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** The tree has one directory per platform. */
  readonly multiPlatform?: boolean | undefined;
  /** Modification time of all files. Nanoseconds since 1970. */
  readonly time?: bigint | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes per message; the protocol allows 3 MiB. */
const pieceSize = 256 * 1024;

/** Sends one file, such as an archive; resolves when the client has it. */
export async function sendExportFile(
  session: Session,
  bytes: AsyncIterable<Uint8Array>,
  options: ExportOptions,
): Promise<void> {
  const client = session.client(FileSend, FileSend.method.diffCopy);
  const answers = client.diffCopy(pieces(bytes), { metadata: exportMetadata(options), signal: options.signal });
  for await (const _ of answers);
}

async function* pieces(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<{ data: Uint8Array }, void> {
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; at += pieceSize) yield { data: chunk.subarray(at, at + pieceSize) };
  }
}

/** Sends a whole directory into the client's; resolves when the client has it. */
export async function sendExportDirectory(session: Session, root: string, options: ExportOptions): Promise<void> {
  session.client(FileSend, FileSend.method.diffCopy);
  const { promise, resolve } = Promise.withResolvers<AsyncIterable<Uint8Array>>();
  const packets = sendTree(root, walkTree(root, { time: options.time }), decodePackets(promise));
  const incoming = session.channel.callRaw(`/${FileSend.typeName}/DiffCopy`, encodePackets(packets), {
    metadata: exportMetadata(options),
    signal: options.signal,
  });
  const ended = Promise.withResolvers<void>();
  resolve(watched(incoming, ended));
  await ended.promise;
}

/** Follows the answers to their end, which carries the client's verdict. */
async function* watched(
  messages: AsyncIterable<Uint8Array>,
  ended: PromiseWithResolvers<void>,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* messages;
    ended.resolve();
  } catch (error) {
    ended.reject(error);
    throw error;
  }
}

async function* decodePackets(messages: Promise<AsyncIterable<Uint8Array>>) {
  for await (const message of await messages) yield fromBinary(PacketSchema, message);
}

async function* encodePackets(packets: ReturnType<typeof sendTree>): AsyncGenerator<Uint8Array, void> {
  for await (const packet of packets) yield toBinary(PacketSchema, create(PacketSchema, packet));
}

function exportMetadata(options: ExportOptions): Record<string, string> {
  const metadata: Record<string, string> = { [fileSendHeaders.exporter]: `${options.exporter}` };
  if (options.multiPlatform) metadata[fileSendHeaders.multiPlatform] = '1';
  for (const [key, value] of Object.entries(options.metadata ?? {})) {
    metadata[`${fileSendHeaders.metadata}${key.toLowerCase()}`] = value;
  }
  return metadata;
}
