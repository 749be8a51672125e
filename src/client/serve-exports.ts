import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { TreeReceiver } from '../api/filesync/receive-tree.ts';
import type { PacketInit } from '../api/filesync/send-tree.ts';
import { BytesMessageSchema, FileSend } from '../api/gen/filesync_pb.js';
import { PacketSchema } from '../api/gen/fsutil_pb.js';
import type { CallContext, Router } from '../api/grpc/router.ts';
import { create } from '../api/message/create.ts';
import { fromBinary } from '../api/message/decode.ts';
import { toBinary } from '../api/message/encode.ts';
import { fileSendHeaders } from '../api/session/send-export.ts';
import { invalidArgument, notFound } from '../base/errors.ts';

/** Where one exporter's output goes. */
export type ExportTarget =
  | { readonly kind: 'directory'; readonly path: string; readonly deleteOthers?: boolean | undefined }
  | { readonly kind: 'file'; readonly path: string }
  /** A directory in the form of an OCI image layout; what it has already stays. */
  | { readonly kind: 'layout'; readonly path: string }
  /** Such as standard output; told of the headers that came with the bytes. */
  | { readonly kind: 'stream'; write(bytes: Uint8Array, metadata: ReadonlyMap<string, string>): Promise<void> | void };

/** Takes outputs from the daemon; the targets in the order of the exporters of the request, undefined where one needs none. */
export function serveExports(router: Router, targets: readonly (ExportTarget | undefined)[]): void {
  router.addRaw(FileSend, 'diffCopy', (messages, context) => {
    const target = targetOf(targets, context);
    if (target.kind === 'directory') return receiveDirectory(target, messages);
    if (target.kind === 'layout') throw invalidArgument('cannot take an image as an archive: its blobs were asked for');
    if (target.kind === 'file') return answerAfter(receiveFile(target.path, messages));
    return answerAfter(receiveStream(target, messages, metadataOf(context)));
  });
}

function targetOf(targets: readonly (ExportTarget | undefined)[], context: CallContext): ExportTarget {
  const index = Number(context.values(fileSendHeaders.exporter)[0] ?? 0);
  if (!Number.isSafeInteger(index)) throw invalidArgument('cannot take an output: its exporter is no number');
  const target = targets[index];
  if (!target) throw notFound(`cannot take the output of exporter ${index}: this build asked for no file of it`);
  return target;
}

async function* receiveDirectory(
  target: ExportTarget & { kind: 'directory' },
  messages: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  const receiver = new TreeReceiver(target.path, { owner: 'receiver', deleteOthers: target.deleteOthers ?? false });
  const received = receiver.receive(decodePackets(messages));
  // Told through `outgoing` too.
  received.catch(() => {});
  for await (const packet of receiver.outgoing) yield encodePacket(packet);
}

async function* decodePackets(messages: AsyncIterable<Uint8Array>) {
  for await (const message of messages) yield fromBinary(PacketSchema, message);
}

function encodePacket(packet: PacketInit): Uint8Array {
  return toBinary(PacketSchema, create(PacketSchema, packet));
}

/** Nothing is said to the sender but that all is taken. */
async function* answerAfter(done: Promise<void>): AsyncGenerator<never, void> {
  await done;
  yield* [];
}

/** The file appears under its name from the first byte on, and is removed when the last one does not come. */
async function receiveFile(path: string, messages: AsyncIterable<Uint8Array>): Promise<void> {
  const fd = openSync(path, 'w');
  let complete = false;
  try {
    for await (const message of messages) {
      const { data } = fromBinary(BytesMessageSchema, message);
      for (let at = 0; at < data.length; ) at += writeSync(fd, data, at);
    }
    complete = true;
  } finally {
    closeSync(fd);
    if (!complete) rmSync(path, { force: true });
  }
}

async function receiveStream(
  target: ExportTarget & { kind: 'stream' },
  messages: AsyncIterable<Uint8Array>,
  metadata: ReadonlyMap<string, string>,
): Promise<void> {
  for await (const message of messages) {
    const { data } = fromBinary(BytesMessageSchema, message);
    if (data.length > 0) await target.write(data, metadata);
  }
}

function metadataOf(context: CallContext): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(context.metadata)) {
    if (name.startsWith(fileSendHeaders.metadata)) {
      metadata.set(name.slice(fileSendHeaders.metadata.length), String(value));
    }
  }
  return metadata;
}
