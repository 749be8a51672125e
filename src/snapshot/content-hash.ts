import { createHash, hash } from 'node:crypto';
import { type BigIntStats, closeSync, lstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { type Digest, digestOf } from '../base/digest.ts';
import { getXattr, listXattrs } from '../kernel/file-attributes.ts';
import { FileListing } from './file-listing.ts';
import {
  FileFilter,
  type FilterState,
  namesIn,
  type Selection,
  selectSources,
  type TreeFilter,
} from './select-files.ts';
import { StatIndex } from './stat-index.ts';
import { type BytePath, joinBytes, toBytes, toText } from './tree-path.ts';

export interface HashOptions {
  /** What of the root belongs to the tree. */
  readonly filter?: TreeFilter | undefined;
  /** Files of a build context belong to root, whoever owns them on the host. */
  readonly ignoreOwner?: boolean;
  /** Where digests are kept between calls. */
  readonly indexFile?: string | undefined;
  /** Where a listing of the files is left for each new digest, under its hex. */
  readonly listings?: string | undefined;
}

/**
 * Content key of a selection: names, types, modes, owners, link targets, devices, attributes and bytes, but not times
 * (reference dockerfile.md §6). The same files give the same digest wherever they lie.
 */
export function hashSelection(root: string, selections: readonly Selection[], options: HashOptions = {}): Digest {
  return readSelection(root, selections, options).digest;
}

/** The same, and how many bytes of files had to be read for it: those that the index did not answer for. */
export function readSelection(
  root: string,
  selections: readonly Selection[],
  options: HashOptions = {},
): { readonly digest: Digest; readonly bytesRead: number } {
  const index = StatIndex.open(options.indexFile);
  const visible = options.filter && new FileFilter(options.filter);
  const parts: string[] = [];
  const listing = options.listings === undefined ? undefined : new FileListing();
  for (const selection of selections) {
    const walker = new Walker(index, new FileFilter(selection), visible, {
      ignoreOwner: options.ignoreOwner === true,
      listing,
    });
    for (const source of selectSources(root, selection, options.filter)) {
      const stat = lstatSync(toBytes(source.path), { bigint: true });
      // A directory is copied by its content: its own name and attributes do not arrive.
      const name = stat.isDirectory() ? '' : source.name;
      parts.push(
        JSON.stringify([
          name,
          walker.digest(source.path, '', source.fromRoot, stat, undefined, visible?.stateOf(source.fromRoot)) ?? '',
        ]),
      );
    }
  }
  index.save();
  const digest = digestOf(parts.join('\n'));
  if (options.listings !== undefined) listing?.save(options.listings, digest);
  return { digest, bytesRead: index.bytesRead };
}

class Walker {
  readonly #index: StatIndex;
  readonly #filter: FileFilter;
  readonly #visible: FileFilter | undefined;
  readonly #ignoreOwner: boolean;
  readonly #listing: FileListing | undefined;

  constructor(
    index: StatIndex,
    filter: FileFilter,
    visible: FileFilter | undefined,
    { ignoreOwner, listing }: { readonly ignoreOwner: boolean; readonly listing: FileListing | undefined },
  ) {
    this.#index = index;
    this.#filter = filter;
    this.#visible = visible;
    this.#ignoreOwner = ignoreOwner;
    this.#listing = listing;
  }

  /** Undefined when the filters leave out the file, or all of a directory. */
  digest(
    path: BytePath,
    fromSource: string,
    fromRoot: string,
    stat: BigIntStats,
    parent: FilterState | undefined,
    rootState: FilterState | undefined,
  ): string | undefined {
    const state = fromSource === '' ? undefined : this.#filter.verdict(fromSource, parent);
    const selected = (state?.selected ?? true) && (rootState?.selected ?? true);
    if (!stat.isDirectory()) return selected && !stat.isSocket() ? this.#leaf(path, fromRoot, stat) : undefined;
    if (!selected && !((state?.descend ?? true) && (rootState?.descend ?? true))) return undefined;
    const children = createHash('sha256');
    let count = 0;
    for (const name of namesIn(path)) {
      const child = joinBytes(path, name);
      const text = toText(name);
      const childFromRoot = fromRoot === '' ? text : `${fromRoot}/${text}`;
      const childFromSource = fromSource === '' ? text : `${fromSource}/${text}`;
      const childRootState = this.#visible?.verdict(childFromRoot, rootState);
      const digest = this.digest(
        child,
        childFromSource,
        childFromRoot,
        lstatSync(toBytes(child), { bigint: true }),
        state,
        childRootState,
      );
      if (digest === undefined) continue;
      count++;
      children.update(`${name}\0${digest}\n`, 'latin1');
    }
    if (count === 0 && !selected) return undefined;
    // The top directory stands for its content only.
    if (fromSource === '') return children.digest('hex');
    this.#listing?.add(`${fromRoot}/`, stat, '');
    return children.update(this.#header('directory', path, stat)).digest('hex');
  }

  #leaf(path: BytePath, fromRoot: string, stat: BigIntStats): string {
    const [header, content] = this.#describe(path, stat);
    this.#listing?.add(fromRoot, stat, content);
    return hash('sha256', header + content);
  }

  #describe(path: BytePath, stat: BigIntStats): [header: string, content: string] {
    if (stat.isSymbolicLink())
      return [this.#header('symlink', path, stat), readlinkSync(toBytes(path), { encoding: 'latin1' as 'utf8' })];
    if (!stat.isFile()) return [this.#header(`device ${stat.mode & 0o170000n} ${stat.rdev}`, path, stat), ''];
    const content = this.#index.digestOf(path, stat, () => hashFile(path, Number(stat.size)));
    return [this.#header('file', path, stat), content];
  }

  #header(type: string, path: BytePath, stat: BigIntStats): string {
    const owner = this.#ignoreOwner ? [0, 0] : [Number(stat.uid), Number(stat.gid)];
    // A symlink has no mode of its own.
    const mode = type === 'symlink' ? 0 : Number(stat.mode) & 0o7777;
    return `${JSON.stringify([type, mode, ...owner, ...keptXattrs(path, type)])}\n`;
  }
}

/** Attributes that are copied and count, as `name=value in hex`. */
export function keptXattrs(path: BytePath, type: string): string[] {
  if (type === 'symlink') return [];
  const names = listXattrs(toBytes(path)).filter((name) => name === 'security.capability' || name.startsWith('user.'));
  return names.toSorted().map((name) => `${name}=${getXattr(toBytes(path), name)?.toString('hex')}`);
}

const buffer = Buffer.allocUnsafe(1 << 20);

function hashFile(path: BytePath, size: number): string {
  const fd = openSync(toBytes(path), 'r');
  try {
    const first = readSync(fd, buffer, 0, buffer.length, null);
    if (first < buffer.length && first === size) return hash('sha256', buffer.subarray(0, first));
    const digest = createHash('sha256').update(buffer.subarray(0, first));
    for (
      let count = readSync(fd, buffer, 0, buffer.length, null);
      count > 0;
      count = readSync(fd, buffer, 0, buffer.length, null)
    ) {
      digest.update(buffer.subarray(0, count));
    }
    return digest.digest('hex');
  } finally {
    closeSync(fd);
  }
}
