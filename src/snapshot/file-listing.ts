import { type BigIntStats, existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { type Digest, digestHex } from '../base/digest.ts';

/** More files than this are not listed. */
const limit = 20_000;

/**
 * The files behind a content key, so that a later build can say which of them changed: `{"files":[[path, octal mode, digest or
 * link target]]}`. Left out when there are too many.
 */
export class FileListing {
  readonly #files: [path: string, mode: string, digest: string][] = [];

  add(path: string, stat: BigIntStats, content: string): void {
    if (this.#files.length <= limit)
      this.#files.push([path, (Number(stat.mode) & 0o7777).toString(8), content.slice(0, 32)]);
  }

  /** Writes the listing under the key's hex, unless it is there. */
  save(directory: string, key: Digest): void {
    const path = join(directory, digestHex(key));
    if (this.#files.length > limit || existsSync(path)) return;
    const aside = `${path}.${process.pid}-${threadId}.tmp`;
    writeFileSync(aside, JSON.stringify({ files: this.#files }));
    renameSync(aside, path);
  }
}
