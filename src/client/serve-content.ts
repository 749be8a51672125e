import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Content, type WriteContentRequest } from '../api/gen/content_pb.js';
import type { CallContext, Router } from '../api/grpc/router.ts';
import { contentStoreHeader } from '../api/session/session-content.ts';
import { createSha256, type Digest, digestHex, digestOfHash, parseDigest } from '../base/digest.ts';
import { invalidArgument, notFound, SlipwayError, systemErrorCode } from '../base/errors.ts';

/** Bytes per message. */
const pieceSize = 1024 * 1024;

/** A directory in the form of an OCI image layout. */
export interface ServedLayout {
  readonly directory: string;
  /** The daemon may add blobs, as a local cache export does. */
  readonly writable?: boolean | undefined;
}

/** Lets the daemon read, and where allowed write, blobs of these layouts, by store id (`oci:<key>`, `local:<directory>`). */
export function serveContent(router: Router, layouts: ReadonlyMap<string, ServedLayout>): void {
  const layoutOf = (context: CallContext): ServedLayout => {
    const id = context.values(contentStoreHeader)[0] ?? '';
    const layout = layouts.get(id);
    if (!layout) throw notFound(`there is no content store "${id}" in this build`);
    return layout;
  };
  router.add(Content, {
    info({ digest }, context) {
      const size = sizeOf(layoutOf(context), parseDigest(digest));
      return { info: { digest, size: BigInt(size) } };
    },
    read: (request, context) =>
      read(layoutOf(context), parseDigest(request.digest), Number(request.offset), Number(request.size)),
    write: (requests, context) => write(layoutOf(context), requests),
    status({ ref }) {
      throw notFound(`there is no unfinished write "${ref}"`);
    },
    abort: () => ({}),
  });
}

function blobPath(layout: ServedLayout, digest: Digest): string {
  return join(layout.directory, 'blobs', 'sha256', digestHex(digest));
}

function sizeOf(layout: ServedLayout, digest: Digest): number {
  const stat = statSync(blobPath(layout, digest), { throwIfNoEntry: false });
  if (!stat?.isFile()) throw notFound(`cannot find blob "${digest}" in "${layout.directory}"`);
  return stat.size;
}

/** `size` 0 means to the end. */
async function* read(layout: ServedLayout, digest: Digest, offset: number, size: number) {
  const total = sizeOf(layout, digest);
  const end = size > 0 ? Math.min(offset + size, total) : total;
  if (offset < 0 || offset > total)
    throw invalidArgument(`cannot read blob "${digest}" from byte ${offset} of ${total}`);
  const fd = openSync(blobPath(layout, digest), 'r');
  try {
    for (let at = offset; at < end; ) {
      const data = Buffer.allocUnsafe(Math.min(pieceSize, end - at));
      const length = readSync(fd, data, 0, data.length, at);
      if (length === 0) throw new SlipwayError('data-loss', `blob "${digest}" became shorter while it was read`);
      yield { offset: BigInt(at), data: data.subarray(0, length) };
      at += length;
    }
  } finally {
    closeSync(fd);
  }
}

/** containerd's writer: stat, any number of writes, commit, which proves the digest. */
async function* write(layout: ServedLayout, requests: AsyncIterable<WriteContentRequest>) {
  if (layout.writable !== true)
    throw new SlipwayError('permission-denied', `"${layout.directory}" is not to be written`);
  mkdirSync(join(layout.directory, 'blobs', 'sha256'), { recursive: true });
  const aside = join(layout.directory, `.ingest-${process.pid}-${Math.random().toString(36).slice(2)}`);
  const fd = openSync(aside, 'wx+');
  const hash = createSha256();
  let offset = 0;
  try {
    for await (const { action, expected, data, offset: at } of requests) {
      refuseKnown(layout, expected);
      if (data.length > 0) {
        if (Number(at) !== offset) throw invalidArgument(`cannot write at byte ${at}: ${offset} bytes are here`);
        for (let done = 0; done < data.length; ) done += writeSync(fd, data, done);
        hash.update(data);
        offset += data.length;
      }
      const digest = action === 2 ? commit(layout, aside, digestOfHash(hash.copy()), expected) : '';
      yield { action, offset: BigInt(fstatSync(fd).size), digest };
      if (action === 2) return;
    }
  } finally {
    closeSync(fd);
    rmSync(aside, { force: true });
  }
}

function refuseKnown(layout: ServedLayout, expected: string): void {
  if (expected === '') return;
  const known = statSync(blobPath(layout, parseDigest(expected)), { throwIfNoEntry: false });
  if (known) throw new SlipwayError('already-exists', `blob "${expected}" is there already`);
}

function commit(layout: ServedLayout, aside: string, digest: Digest, expected: string): Digest {
  if (expected !== '' && expected !== digest) {
    throw new SlipwayError('data-loss', `cannot store blob "${expected}": its bytes have digest "${digest}"`);
  }
  try {
    renameSync(aside, blobPath(layout, digest));
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  }
  return digest;
}
