import { MountType } from '../../api/gen/ops_pb.js';
import { verticesOf } from '../../graph/definition.ts';
import type { Edge, Vertex } from '../../graph/vertex.ts';
import type { CacheMounts } from '../../worker/cache-mounts.ts';

/** `--no-cache` holds for the cache mounts of its steps too: a build finds them empty, once; what another build uses now stays. */
export class FreshCacheMounts {
  readonly #mounts: CacheMounts;
  readonly #renewed = new Set<string>();

  constructor(mounts: CacheMounts) {
    this.#mounts = mounts;
  }

  /** Before the graph runs. */
  renew({ vertex }: Edge): void {
    const ids = new Set(
      verticesOf(vertex)
        .flatMap(freshIds)
        .filter((id) => !this.#renewed.has(id)),
    );
    if (ids.size === 0) return;
    for (const id of ids) this.#renewed.add(id);
    for (const info of this.#mounts.list()) if (ids.has(info.id)) this.#mounts.remove(info);
  }
}

function freshIds({ op: { op }, metadata }: Vertex): string[] {
  if (!metadata.ignoreCache || op.case !== 'exec') return [];
  return op.value.mounts
    .filter(({ mountType }) => mountType === MountType.CACHE)
    .map(({ cacheOpt, dest }) => cacheOpt?.ID || dest);
}
