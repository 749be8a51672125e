import { type BigIntStats, linkSync, readFileSync, writeFileSync } from 'node:fs';
import { keptXattrs } from './content-hash.ts';
import { StatIndex } from './stat-index.ts';
import { type BytePath, fromText, toBytes } from './tree-path.ts';

export interface FileReuseOptions {
  /** The stat index of the tree that is copied. */
  readonly indexFile: string;
  /** Where to write down what was copied. */
  readonly record: string;
  /** An earlier copy of the same kind: what it wrote down, and the directory into which it went. */
  readonly earlier?: { readonly record: string; readonly directory: string } | undefined;
}

/** What a file is when it has arrived; equal ones may be one file. */
export interface Arrival {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
}

/**
 * Files that arrived in an earlier layer just as they would now are linked from there instead of copied: layers never change. What
 * proves a file the same is its content's digest, known by the stat index, with all that is copied of its attributes.
 */
export class FileReuse {
  readonly #options: FileReuseOptions;
  readonly #index: StatIndex;
  readonly #earlier: ReadonlyMap<string, string>;
  readonly #directory: BytePath;
  readonly #rows: [path: string, signature: string][] = [];

  constructor(options: FileReuseOptions) {
    this.#options = options;
    this.#index = StatIndex.open(options.indexFile);
    this.#earlier = options.earlier ? readRecord(options.earlier.record) : new Map();
    this.#directory = fromText(options.earlier?.directory ?? '');
  }

  /** Links a file to its place, `inside` being that place below the copy's destination; false when it has to be copied. */
  link(from: BytePath, to: BytePath, inside: string, stat: BigIntStats, arrival: Arrival): boolean {
    const content = this.#index.known(from, stat);
    if (content === undefined) return false;
    const { uid, gid, mode, time } = arrival;
    const signature = [content, uid, gid, mode, time, ...keptXattrs(from, 'file')].join(' ');
    this.#rows.push([inside, signature]);
    if (this.#earlier.get(inside) !== signature) return false;
    try {
      linkSync(toBytes(`${this.#directory}${inside}` as BytePath), toBytes(to));
      return true;
    } catch {
      // That layer is gone, or its file has as many names as it can have.
      return false;
    }
  }

  save(): void {
    writeFileSync(this.#options.record, JSON.stringify(this.#rows), { mode: 0o600 });
  }
}

function readRecord(path: string): ReadonlyMap<string, string> {
  try {
    return new Map(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return new Map();
  }
}
