import type { Digest } from '../base/digest.ts';
import { SlipwayError } from '../base/errors.ts';
import { familiarReference, formatReference, parseReference, repositoryOf } from '../oci/reference.ts';
import { type FoundImage, findImage } from './find-image.ts';
import type { ImageRecord, ImageStore } from './image-store.ts';

/** Who uses an image: a container, by its short id. */
export interface ImageUser {
  readonly id: string;
  readonly running: boolean;
}

export interface RemoveOptions {
  readonly force?: boolean | undefined;
  /** The containers made from an image with this id. */
  readonly usersOf?: ((id: Digest) => readonly ImageUser[]) | undefined;
}

/** One line of `docker rmi`'s output, and of the Engine API's answer. */
export type RemovedImage = { readonly Untagged: string } | { readonly Deleted: string };

/**
 * `docker rmi`: by name, that name goes, and the image with its last one; by id the image goes with its names, if they are of
 * one repository or `force` is given. Throws not-found, and failed-precondition (the API's 409) when something stands against it.
 */
export function removeImage(store: ImageStore, text: string, options: RemoveOptions = {}): readonly RemovedImage[] {
  const found = findImage(store, text);
  return found.name ? removeByName(store, found, found.name, options) : removeById(store, text, found.record, options);
}

function removeByName(
  store: ImageStore,
  { record }: FoundImage,
  name: NonNullable<FoundImage['name']>,
  options: RemoveOptions,
): readonly RemovedImage[] {
  const full = formatReference(name);
  const others = record.tags.filter((each) => each !== full);
  if (others.length > 0 || isShared(store, record)) {
    const siblings = record.digests.filter((each) => isLastOfRepository(each, full, others));
    return [full, ...siblings].map((each) => untag(store, each));
  }
  const user = (options.usersOf?.(record.id) ?? []).toSorted((a, b) => Number(b.running) - Number(a.running))[0];
  if (user && !options.force) {
    throw conflict(
      `unable to remove repository reference "${familiarReference(name)}" (must force) - container ${user.id} is using its referenced image ${shortId(record.id)}`,
    );
  }
  // Forced, with a container on it: the name goes, the image stays for as long as it is used.
  if (user) return [full, ...record.digests.filter((each) => each !== full)].map((each) => untag(store, each));
  return removeAll(store, record);
}

/** A repository's digest goes together with its last tag. */
function isLastOfRepository(digestName: string, removed: string, others: readonly string[]): boolean {
  const repository = repositoryOf(parseReference(digestName));
  const of = (name: string) => repositoryOf(parseReference(name)) === repository;
  return digestName !== removed && of(removed) && !others.some(of);
}

function removeById(
  store: ImageStore,
  text: string,
  record: ImageRecord,
  options: RemoveOptions,
): readonly RemovedImage[] {
  const records = store.list().filter((each) => each.id === record.id);
  const id = shortId(record.id);
  const users = options.usersOf?.(record.id) ?? [];
  const running = users.find((each) => each.running);
  if (running) {
    throw conflict(
      `unable to delete ${shown(text, id)} (cannot be forced) - image is being used by running container ${running.id}`,
    );
  }
  const [stopped] = users;
  if (stopped && !options.force) {
    throw conflict(
      `unable to delete ${shown(text, id)} (must be forced) - image is being used by stopped container ${stopped.id}`,
    );
  }
  const repositories = new Set(records.flatMap((each) => each.tags.map((name) => repositoryOf(parseReference(name)))));
  if (repositories.size > 1 && !options.force) {
    throw conflict(
      `unable to delete ${shown(text, id)} (must be forced) - image is referenced in multiple repositories`,
    );
  }
  return mergeDeleted(records.flatMap((each) => removeAll(store, each)));
}

/** Another target with the same id keeps the image alive: only names go. */
function isShared(store: ImageStore, record: ImageRecord): boolean {
  return store
    .list()
    .some((each) => each.id === record.id && each.target.digest !== record.target.digest && each.tags.length > 0);
}

function removeAll(store: ImageStore, record: ImageRecord): readonly RemovedImage[] {
  const untagged = [...record.tags, ...record.digests].map((name) => ({ Untagged: familiarName(name) }));
  store.remove(record.target.digest);
  return [...untagged, { Deleted: record.id }];
}

function mergeDeleted(removed: readonly RemovedImage[]): readonly RemovedImage[] {
  const seen = new Set<string>();
  const unique = removed.filter((each) => !('Deleted' in each) || (!seen.has(each.Deleted) && seen.add(each.Deleted)));
  return unique.toSorted((a, b) => Number('Deleted' in a) - Number('Deleted' in b));
}

function untag(store: ImageStore, name: string): RemovedImage {
  store.untag(name);
  return { Untagged: familiarName(name) };
}

function familiarName(name: string): string {
  return familiarReference(parseReference(name));
}

function shortId(id: Digest): string {
  return id.slice('sha256:'.length, 'sha256:'.length + 12);
}

function shown(text: string, id: string): string {
  return /^(?:sha256:)?[0-9a-f]+$/.test(text) ? id : text;
}

function conflict(why: string): SlipwayError {
  return new SlipwayError('failed-precondition', `conflict: ${why}`);
}
