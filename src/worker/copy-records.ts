import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FileReuseOptions } from '../snapshot/file-reuse.ts';
import type { ActiveId, LayerId, Snapshots } from '../snapshot/snapshots.ts';

/**
 * What copies from contexts brought into which layer, so that the next copy of the same kind links what has not changed:
 *
 *     <kind>@<layer>     rows of `snapshot/file-reuse.ts`; for each kind that of its newest layer
 *     <kind>~<active>    of a copy that is not committed; dropped at start
 */
export class CopyRecords {
  readonly #directory: string;
  readonly #snapshots: Snapshots;
  /** Kinds that went into an active layer. */
  readonly #pending = new Map<ActiveId, string[]>();

  constructor(directory: string, snapshots: Snapshots) {
    this.#directory = directory;
    this.#snapshots = snapshots;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(directory)) if (name.includes('~')) this.#remove(name);
  }

  /** For a copy to `destination` inside the active layer. */
  begin(kind: string, active: ActiveId, destination: string): Omit<FileReuseOptions, 'indexFile'> {
    this.#pending.set(active, [...(this.#pending.get(active) ?? []), kind]);
    const record = join(this.#directory, `${kind}~${active}`);
    const earlier = this.#of(kind).find(({ layer }) => this.#snapshots.has(layer));
    if (!earlier) return { record };
    const directory = join(this.#snapshots.layerDirectory(earlier.layer), destination);
    return { record, earlier: { record: join(this.#directory, earlier.name), directory } };
  }

  committed(active: ActiveId, layer: LayerId): void {
    for (const kind of this.#pending.get(active) ?? []) {
      for (const { name } of this.#of(kind)) this.#remove(name);
      renameSync(join(this.#directory, `${kind}~${active}`), join(this.#directory, `${kind}@${layer}`));
    }
    this.#pending.delete(active);
  }

  discarded(active: ActiveId): void {
    for (const kind of this.#pending.get(active) ?? []) this.#remove(`${kind}~${active}`);
    this.#pending.delete(active);
  }

  #of(kind: string): { readonly name: string; readonly layer: LayerId }[] {
    return readdirSync(this.#directory)
      .filter((name) => name.startsWith(`${kind}@`))
      .map((name) => ({ name, layer: name.slice(kind.length + 1) as LayerId }));
  }

  #remove(name: string): void {
    rmSync(join(this.#directory, name), { force: true });
  }
}
