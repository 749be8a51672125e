import { type BigIntStats, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../base/files.ts';

/** Files that were not asked for are remembered up to this many beside those that were. */
const unseenLimit = 50_000;

/** A file that changed this recently may change again without its times moving. Nanoseconds. */
const settlingTime = 100_000_000n;

interface Entry {
  /** Size, mtime, ctime (both in nanoseconds), inode and device. */
  readonly identity: string;
  readonly digest: string;
}

/**
 * Remembers content digests by a file's identity. ctime is part of it: nobody can set that, so content that changed with its size and
 * mtime kept is noticed. What the index cannot prove unchanged is read again.
 */
export class StatIndex {
  readonly #path: string | undefined;
  readonly #known: ReadonlyMap<string, Entry>;
  readonly #seen = new Map<string, Entry>();
  #changed = false;
  #bytesRead = 0;

  private constructor(path: string | undefined, known: ReadonlyMap<string, Entry>) {
    this.#path = path;
    this.#known = known;
  }

  /** Without a path nothing is kept. A file that cannot be read counts as empty: the index only saves work. */
  static open(path: string | undefined): StatIndex {
    return new StatIndex(path, path === undefined ? new Map() : readRows(path));
  }

  /** Bytes of the files that had to be read. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** The digest, where the index proves it. */
  known(file: string, stat: BigIntStats): string | undefined {
    const known = this.#seen.get(file) ?? this.#known.get(file);
    return known?.identity === identityOf(stat) ? known.digest : undefined;
  }

  digestOf(file: string, stat: BigIntStats, read: () => string): string {
    const identity = identityOf(stat);
    const known = this.#seen.get(file) ?? this.#known.get(file);
    if (known?.identity === identity) {
      this.#seen.set(file, known);
      return known.digest;
    }
    const startedAt = BigInt(Date.now()) * 1_000_000n;
    const digest = read();
    this.#bytesRead += Number(stat.size);
    if (startedAt - stat.ctimeNs > settlingTime) {
      this.#seen.set(file, { identity, digest });
      this.#changed = true;
    }
    return digest;
  }

  /**
   * Writes what is new. Selections of one context share an index, each seeing a part of it: what the others saw is kept, as
   * it stands in the file by now.
   */
  save(): void {
    if (this.#path === undefined || !this.#changed) return;
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    const unseen = [...readRows(this.#path)].filter(([file]) => !this.#seen.has(file)).slice(-unseenLimit);
    const rows = [...unseen, ...this.#seen].map(([file, { identity, digest }]) => [file, identity, digest]);
    writeFileAtomic(this.#path, JSON.stringify(rows));
    this.#changed = false;
  }
}

function identityOf(stat: BigIntStats): string {
  return `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino} ${stat.dev}`;
}

function readRows(path: string): Map<string, Entry> {
  try {
    const rows: [string, string, string][] = JSON.parse(readFileSync(path, 'utf8'));
    return new Map(rows.map(([file, identity, digest]) => [file, { identity, digest }]));
  } catch {
    return new Map();
  }
}
