import { posix } from 'node:path';
import type { TarEntry } from '../archive/tar-header.ts';
import { type Digest, isDigest } from '../base/digest.ts';
import { SlipwayError } from '../base/errors.ts';
import type { ContentStore } from '../content/content-store.ts';
import { badDocument } from '../oci/json.ts';
import { dataOf, readTarEvents } from './tar-stream.ts';

/** Documents of an archive that are read as a whole. */
const documents = new Set(['oci-layout', 'index.json', 'manifest.json']);
const documentLimit = 8 << 20;
/** Leftovers of docker's first archive format that nothing needs. */
const ignored = /^(?:repositories|[0-9a-f]{64}\/(?:json|VERSION))$/;
const mostEntries = 100_000;

export interface ReadArchiveOptions {
  /** Bytes of all members together. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What is in an archive of images. Its files lie in the content store under their digests, never under their names; the
 * names are only keys here, so nothing that an archive says can point outside. Held until disposed.
 */
export class ArchiveContents implements Disposable {
  readonly #files = new Map<string, Digest>();
  readonly #documents = new Map<string, Uint8Array>();
  readonly #links = new Map<string, string>();
  readonly #holds = new DisposableStack();

  /** Takes an archive in. Throws invalid-argument and data-loss, naming the member at fault. */
  static async read(
    content: ContentStore,
    bytes: AsyncIterable<Uint8Array>,
    options: ReadArchiveOptions = {},
  ): Promise<ArchiveContents> {
    const contents = new ArchiveContents();
    try {
      await contents.#take(content, bytes, options);
      return contents;
    } catch (error) {
      contents[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#holds.dispose();
  }

  document(name: string): Uint8Array | undefined {
    return this.#documents.get(name);
  }

  /** The digest of a file by its name in the archive, links followed. */
  digestOf(name: string): Digest {
    let at = posix.normalize(name);
    for (let hops = 0; hops < 20; hops++) {
      const found = this.#files.get(at);
      if (found) return found;
      const next = this.#links.get(at);
      if (next === undefined) break;
      at = next;
    }
    throw badDocument('image archive', `it names ${shown(name)}, which is not in it`);
  }

  async #take(content: ContentStore, bytes: AsyncIterable<Uint8Array>, options: ReadArchiveOptions): Promise<void> {
    const events = readTarEvents(bytes);
    let entries = 0;
    let total = 0;
    for (let next = await events.next(); !next.done; next = await events.next()) {
      if (next.value.kind !== 'entry') continue;
      const { entry } = next.value;
      options.signal?.throwIfAborted();
      total += entry.size;
      if (++entries > mostEntries) throw tooLarge(`more than ${mostEntries} members`);
      if (options.limit !== undefined && total > options.limit) throw tooLarge(`more than ${options.limit} bytes`);
      const name = memberName(entry);
      if (entry.type === 'file') await this.#takeFile(content, name, entry.size, dataOf(events), options.signal);
      else if (entry.type === 'link' || entry.type === 'symlink') this.#takeLink(name, entry);
    }
  }

  async #takeFile(
    content: ContentStore,
    name: string,
    size: number,
    data: AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (documents.has(name)) {
      if (size > documentLimit) throw tooLarge(`${size} bytes of ${shown(name)}`);
      this.#documents.set(name, Buffer.concat(await Array.fromAsync(data)));
      return;
    }
    if (ignored.test(name)) return;
    const hex = /^blobs\/sha256\/(.*)$/.exec(name)?.[1];
    const digest = `sha256:${hex}`;
    if (hex !== undefined && !isDigest(digest))
      throw badDocument('image archive', `${shown(name)} is not named by a digest`);
    const expected = hex !== undefined && isDigest(digest) ? { expected: { digest, size } } : {};
    const blob = await content.write(data, { ...expected, ...(signal ? { signal } : {}) });
    this.#holds.use(content.hold([blob.digest]));
    this.#files.set(name, blob.digest);
  }

  /** docker's older archives link a layer that occurs twice. A blob is named by what it is, so it is never a link. */
  #takeLink(name: string, entry: TarEntry): void {
    if (name.startsWith('blobs/')) throw badDocument('image archive', `blob ${shown(name)} is a link`);
    const base = entry.type === 'link' ? '.' : posix.dirname(name);
    const target = posix.normalize(posix.join(base, entry.linkName));
    if (entry.linkName.startsWith('/') || target.startsWith('..')) {
      throw badDocument('image archive', `link ${shown(name)} points out of it, to ${shown(entry.linkName)}`);
    }
    this.#links.set(name, target);
  }
}

function memberName(entry: TarEntry): string {
  const name = posix.normalize(entry.name).replace(/\/$/, '');
  if (name.startsWith('/') || entry.name.split('/').includes('..')) {
    throw badDocument('image archive', `member ${shown(entry.name)} has a path that leads out of it`);
  }
  return name;
}

function tooLarge(what: string): SlipwayError {
  return new SlipwayError('resource-exhausted', `cannot read image archive: it has ${what}`);
}

function shown(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}
