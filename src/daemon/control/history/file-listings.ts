import { readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { type BlobPointer, filesMediaType } from '../../../api/history/build-steps.ts';
import { isDigest } from '../../../base/digest.ts';
import { systemErrorCode } from '../../../base/errors.ts';
import type { ContentStore } from '../../../content/content-store.ts';
import type { HistoryTable } from './history-table.ts';

/** The lists of files that content keys stand for: left by workers as files, kept as blobs, once each. */
export class FileListings {
  readonly #directory: string;
  readonly #content: ContentStore;
  readonly #table: HistoryTable;

  constructor(directory: string, content: ContentStore, table: HistoryTable) {
    this.#directory = directory;
    this.#content = content;
    this.#table = table;
  }

  pointer(contentKey: string): BlobPointer | undefined {
    if (!isDigest(contentKey)) return undefined;
    const known = this.#table.listing(contentKey);
    const blob = known && this.#content.stat(known.digest) ? known : this.#take(contentKey);
    return blob && { mediaType: filesMediaType, digest: blob.digest, size: blob.size };
  }

  /** Lets go of what no record needs. */
  collect(): void {
    for (const key of this.#table.dropListings()) rmSync(this.#path(key), { force: true });
  }

  /** What stays behind is empty, and tells workers that the listing is there already. */
  #take(contentKey: string) {
    try {
      const bytes = readFileSync(this.#path(contentKey));
      if (bytes.length === 0) return undefined;
      const blob = this.#content.writeSmall(bytes);
      this.#table.saveListing(contentKey, blob.digest, blob.size);
      truncateSync(this.#path(contentKey));
      return blob;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  #path(contentKey: string): string {
    return join(this.#directory, contentKey.replace(/^sha256:/, ''));
  }
}
