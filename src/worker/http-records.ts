import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Digest, digestOf, parseDigest } from '../base/digest.ts';

/** What a URL gave last, under the tag by which the server tells whether it still does. */
export interface HttpRecord {
  readonly etag: string;
  readonly digest: Digest;
}

/** Kept from build to build: `<directory>/http/<digest of the URL>.json`. What cannot be read is as good as unknown. */
export class HttpRecords {
  readonly #path: string;

  constructor(directory: string, url: string) {
    this.#path = `${directory}/http/${digestOf(url).slice(7, 39)}.json`;
  }

  read(): HttpRecord | undefined {
    try {
      const { etag, digest } = JSON.parse(readFileSync(this.#path, 'utf8'));
      return typeof etag === 'string' && etag !== '' ? { etag, digest: parseDigest(digest) } : undefined;
    } catch {
      return undefined;
    }
  }

  write(record: HttpRecord): void {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    const aside = `${this.#path}.${process.pid}`;
    writeFileSync(aside, JSON.stringify(record), { mode: 0o600 });
    renameSync(aside, this.#path);
  }
}

/** A weak tag says enough: what it stands for was digested here. */
export function plainTag(etag: string | null): string {
  return (etag ?? '').replace(/^W\//, '');
}
