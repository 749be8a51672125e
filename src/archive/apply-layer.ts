import { lstatSync, mkdirSync } from 'node:fs';
import { createSha256, type Digest, digestOfHash } from '../base/digest.ts';
import { SlipwayError } from '../base/errors.ts';
import { decompress } from './compression.ts';
import type { TarEntry } from './tar-header.ts';
import { TarReader } from './tar-reader.ts';
import { defaultTreeLimits, type TreeLimits, TreeWriter } from './tree-writer.ts';

const whiteoutPrefix = '.wh.';
const opaqueMarker = '.wh..wh..opq';

/** Headers and padding that an archive may have beside its files' bytes. */
const tarOverhead = 2 ** 30;

/** Also what no file holds counts, such as endless zeros behind the last member. */
class TarBudget {
  readonly #limit: number;
  #used = 0;

  constructor({ bytes }: TreeLimits = defaultTreeLimits) {
    this.#limit = bytes;
  }

  get used(): number {
    return this.#used;
  }

  /** Throws resource-exhausted. */
  add(bytes: number): void {
    this.#used += bytes;
    if (this.#used > this.#limit + tarOverhead)
      throw new SlipwayError('resource-exhausted', `cannot unpack the archive: it has more than ${this.#limit} bytes`);
  }
}

export interface AppliedLayer {
  /** Digest and size of the uncompressed tar. */
  readonly diffId: Digest;
  readonly tarSize: number;
}

/**
 * Unpacks a layer (image-spec layer.md), compressed or not, into an overlayfs upper directory. `.wh.` members become overlayfs's whiteouts.
 * `parents` are the directories of the layers below, topmost first.
 */
export async function applyLayer(
  bytes: AsyncIterable<Uint8Array>,
  directory: string,
  options: { readonly parents: readonly string[]; readonly limits?: TreeLimits },
): Promise<AppliedLayer> {
  const tree = new TreeWriter(directory, options);
  const reader = new TarReader({
    entry: (entry) => {
      if (!applyWhiteout(tree, entry)) tree.begin(entry);
    },
    data: (data) => tree.write(data),
    end: () => tree.end(),
  });
  const hash = createSha256();
  const budget = new TarBudget(options.limits);
  try {
    for await (const chunk of decompress(bytes)) {
      hash.update(chunk);
      budget.add(chunk.length);
      reader.push(chunk);
    }
    reader.finish();
    tree.finish();
  } finally {
    tree.abandon();
  }
  return { diffId: digestOfHash(hash), tarSize: budget.used };
}

/** Answers whether the member was a whiteout. */
function applyWhiteout(tree: TreeWriter, entry: TarEntry): boolean {
  const slash = entry.name.lastIndexOf('/');
  const base = entry.name.slice(slash + 1);
  if (!base.startsWith(whiteoutPrefix)) return false;
  const { parent } = tree.parentOf(entry.name);
  if (base === opaqueMarker) {
    tree.hideAll(parent);
    return true;
  }
  const hidden = base.slice(whiteoutPrefix.length);
  // Other doubled prefixes are AUFS's own; "", "." and ".." would hide a directory that is not named.
  if (base.startsWith('.wh..wh.') || hidden === '' || hidden === '.' || hidden === '..') return true;
  tree.hide(parent, hidden);
  return true;
}

/** Unpacks an archive for ADD: the same care, without whiteouts; `directory` is made when missing. */
export async function extractArchive(
  bytes: AsyncIterable<Uint8Array>,
  directory: string,
  options: {
    readonly limits?: TreeLimits;
    readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
    readonly keepKinds?: boolean | undefined;
    /** Another name for a member and for what a hard link names. */
    readonly rename?: ((name: string) => string) | undefined;
  } = {},
): Promise<void> {
  if (!lstatSync(directory, { throwIfNoEntry: false })) mkdirSync(directory, { recursive: true });
  const { rename = (name: string) => name } = options;
  const tree = new TreeWriter(directory, options);
  const reader = new TarReader({
    entry: (entry) => {
      const linkName = entry.type === 'link' ? rename(entry.linkName) : entry.linkName;
      tree.begin({ ...entry, name: rename(entry.name), linkName });
    },
    data: (data) => tree.write(data),
    end: () => tree.end(),
  });
  const budget = new TarBudget(options.limits);
  try {
    for await (const chunk of decompress(bytes)) {
      budget.add(chunk.length);
      reader.push(chunk);
    }
    reader.finish();
    tree.finish();
  } finally {
    tree.abandon();
  }
}
