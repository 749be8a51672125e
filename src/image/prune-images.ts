import type { ImageRecord, ImageStore } from './image-store.ts';
import { type ImageUser, type RemovedImage, removeImage } from './remove-image.ts';

export interface PruneOptions {
  /** Also images with tags, as long as no container uses them; otherwise only dangling ones. */
  readonly all?: boolean | undefined;
  /** Further conditions (until, label): false keeps the image. */
  readonly matches?: ((record: ImageRecord) => boolean) | undefined;
  readonly usersOf?: ((id: ImageRecord['id']) => readonly ImageUser[]) | undefined;
}

/** `docker image prune`: removes images that nothing needs; an image that a container uses, running or not, always stays. */
export function pruneImages(store: ImageStore, options: PruneOptions = {}): readonly RemovedImage[] {
  const unused = store
    .list()
    .filter((record) => options.all || record.tags.length === 0)
    .filter((record) => (options.usersOf?.(record.id) ?? []).length === 0)
    .filter((record) => options.matches?.(record) ?? true);
  const going = new Set(unused.map((record) => record.target.digest));
  const staying = store.list().filter((record) => !going.has(record.target.digest));
  const kept = new Set(staying.map((record) => record.id));
  return unused.flatMap((record) => {
    // Another target of the same image stays: only this one's names go.
    if (kept.has(record.id)) {
      store.remove(record.target.digest);
      return [];
    }
    return store.get(record.target.digest) ? removeImage(store, record.id, { force: true }) : [];
  });
}
