import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestHex, digestOf, digestOfHash, isDigest, verifyDigest } from '../base/digest.ts';
import { notFound, SlipwayError, systemErrorCode } from '../base/errors.ts';
import { fsyncDirectory } from '../base/files.ts';
import type { BlobInfo, ContentStore } from './content-store.ts';

const defaultSmallLimit = 8 * 1024 * 1024;

/**
 * Blobs in the file system, as an OCI image layout (image-spec image-layout.md):
 *
 *     oci-layout                {"imageLayoutVersion":"1.0.0"}
 *     index.json                empty: names are kept in the database
 *     blobs/sha256/<hex>        whole, verified, read-only
 *     ingest/<random>           unfinished writes; emptied when the store is opened
 */
export class LocalContentStore implements ContentStore {
  readonly #blobs: string;
  readonly #ingest: string;
  readonly #held = new Map<Digest, number>();

  constructor(directory: string) {
    this.#blobs = join(directory, 'blobs/sha256');
    this.#ingest = join(directory, 'ingest');
    rmSync(this.#ingest, { recursive: true, force: true });
    mkdirSync(this.#blobs, { recursive: true, mode: 0o700 });
    mkdirSync(this.#ingest, { mode: 0o700 });
    writeOnce(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    writeOnce(join(directory, 'index.json'), '{"schemaVersion":2,"manifests":[]}');
  }

  path(digest: Digest): string {
    return join(this.#blobs, digestHex(digest));
  }

  stat(digest: Digest): BlobInfo | undefined {
    const stat = statSync(this.path(digest), { throwIfNoEntry: false });
    return stat && { digest, size: stat.size };
  }

  async *read(
    digest: Digest,
    options: { readonly offset?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<Uint8Array, void> {
    const info = this.#require(digest);
    const { offset = 0, signal } = options;
    const stream = createReadStream(this.path(digest), { start: offset, highWaterMark: 1 << 20, signal });
    if (offset > 0) yield* stream;
    else yield* verifyDigest(stream, digest, info.size);
  }

  readSmall(digest: Digest, limit = defaultSmallLimit): Uint8Array {
    const { size } = this.#require(digest);
    if (size > limit) {
      throw new SlipwayError(
        'resource-exhausted',
        `cannot read blob "${digest}" as a whole: it has ${size} bytes, the limit is ${limit}`,
      );
    }
    const bytes = readFileSync(this.path(digest));
    const got = digestOf(bytes);
    if (got !== digest)
      throw new SlipwayError('data-loss', `cannot read blob "${digest}": its bytes have digest "${got}"`);
    return bytes;
  }

  async write(
    bytes: AsyncIterable<Uint8Array>,
    options: {
      readonly expected?: { readonly digest: Digest; readonly size?: number };
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<BlobInfo> {
    const { expected, signal } = options;
    const source = expected ? verifyDigest(bytes, expected.digest, expected.size) : bytes;
    const aside = this.#aside();
    const fd = openSync(aside, 'wx', 0o600);
    const hash = createHash('sha256');
    let size = 0;
    try {
      for await (const chunk of source) {
        signal?.throwIfAborted();
        if (!expected) hash.update(chunk);
        writeAll(fd, chunk);
        size += chunk.length;
      }
      fsyncSync(fd);
    } catch (error) {
      rmSync(aside, { force: true });
      throw diskError(error, expected?.digest);
    } finally {
      closeSync(fd);
    }
    return this.#publish(aside, expected?.digest ?? digestOfHash(hash), size);
  }

  writeSmall(bytes: Uint8Array | string): BlobInfo {
    const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    const digest = digestOf(data);
    const known = this.stat(digest);
    if (known?.size === data.length) return known;
    const aside = this.#aside();
    const fd = openSync(aside, 'wx', 0o600);
    try {
      writeAll(fd, data);
      fsyncSync(fd);
    } catch (error) {
      rmSync(aside, { force: true });
      throw diskError(error, digest);
    } finally {
      closeSync(fd);
    }
    return this.#publish(aside, digest, data.length);
  }

  remove(digest: Digest): void {
    rmSync(this.path(digest), { force: true });
  }

  list(): BlobInfo[] {
    return readdirSync(this.#blobs).flatMap((name) => {
      const digest = `sha256:${name}`;
      return (isDigest(digest) && this.stat(digest)) || [];
    });
  }

  hold(digests: Iterable<Digest>): Disposable {
    const mine = [...digests];
    for (const digest of mine) this.#held.set(digest, (this.#held.get(digest) ?? 0) + 1);
    let open = true;
    return {
      [Symbol.dispose]: () => {
        if (!open) return;
        open = false;
        for (const digest of mine) {
          const left = (this.#held.get(digest) ?? 1) - 1;
          if (left > 0) this.#held.set(digest, left);
          else this.#held.delete(digest);
        }
      },
    };
  }

  collect(keep: ReadonlySet<Digest>, options: { readonly graceMs?: number } = {}): BlobInfo[] {
    const youngest = Date.now() - (options.graceMs ?? 0);
    const freed: BlobInfo[] = [];
    for (const info of this.list()) {
      if (keep.has(info.digest) || this.#held.has(info.digest)) continue;
      if (options.graceMs !== undefined && statSync(this.path(info.digest)).mtimeMs > youngest) continue;
      this.remove(info.digest);
      freed.push(info);
    }
    return freed;
  }

  #require(digest: Digest): BlobInfo {
    const info = this.stat(digest);
    if (!info) throw notFound(`cannot find blob "${digest}"`);
    return info;
  }

  #aside(): string {
    return join(this.#ingest, randomBytes(12).toString('hex'));
  }

  #publish(aside: string, digest: Digest, size: number): BlobInfo {
    renameSync(aside, this.path(digest));
    fsyncDirectory(this.#blobs);
    return { digest, size };
  }
}

function writeOnce(path: string, text: string): void {
  if (!existsSync(path)) writeFileSync(path, text);
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

function diskError(error: unknown, digest: Digest | undefined): unknown {
  const code = systemErrorCode(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new SlipwayError('resource-exhausted', `cannot store blob${digest ? ` "${digest}"` : ''}: the disk is full`, {
    hint: 'free some space, for example with slipway system prune, and try again',
    cause: error,
  });
}
