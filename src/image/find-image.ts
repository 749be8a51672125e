import { type Digest, digestHex, isDigest } from '../base/digest.ts';
import { invalidArgument, isErrorCode, notFound } from '../base/errors.ts';
import { choosePlatform, formatPlatform, type Platform } from '../oci/platform.ts';
import {
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
  withDigest,
} from '../oci/reference.ts';
import type { PlatformManifest } from './image-content.ts';
import type { ImageRecord, ImageStore } from './image-store.ts';

/** What a text given by a person meant: an image, by one of its names or by its id. */
export interface FoundImage {
  readonly record: ImageRecord;
  /** The name it was found by; absent when found by id or digest. */
  readonly name?: Reference;
}

/**
 * Finds an image by name (`node`, `node:20`, `node@sha256:…`), by id or a prefix of it, or by the digest of its manifest or
 * index. A name goes before an id, as docker has it. Throws not-found; invalid-argument when a prefix fits several.
 */
export function findImage(store: ImageStore, text: string): FoundImage {
  const byName = findByName(store, text);
  if (byName) return byName;
  const hex = isDigest(text) ? digestHex(text) : /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text)?.[1];
  const record = hex === undefined ? undefined : findByPrefix(store, text, hex);
  if (record) return { record };
  throw notFound(`No such image: ${shownName(text)}`);
}

/** Like findImage, with undefined where there is none. */
export function findImageIfAny(store: ImageStore, text: string): FoundImage | undefined {
  try {
    return findImage(store, text);
  } catch (error) {
    if (isErrorCode(error, 'not-found')) return undefined;
    throw error;
  }
}

function findByName(store: ImageStore, text: string): FoundImage | undefined {
  const reference = readName(text);
  if (!reference) return undefined;
  // A digest says what is meant; a tag beside it is only a remark.
  const name = reference.digest ? withDigest(reference, reference.digest) : reference;
  const target = store.targetOf(formatReference(name));
  const record = target && store.get(target);
  return record && { record, name };
}

function readName(text: string): Reference | undefined {
  try {
    return withDefaultTag(parseReference(text));
  } catch {
    return undefined;
  }
}

function shownName(text: string): string {
  const reference = readName(text);
  return reference ? familiarReference(reference) : text.slice(0, 200);
}

function findByPrefix(store: ImageStore, text: string, hex: string): ImageRecord | undefined {
  const found = store.targetsByPrefix(hex);
  const meant = new Set(found.map((each) => each.matched));
  const records = [...new Set(found.map((each) => each.target))].flatMap((target) => store.get(target) ?? []);
  // Several digests may be those of one image: its config's and its manifest's.
  const images = new Set<Digest>(records.map((each) => each.id));
  if (meant.size > 1 && images.size > 1) {
    throw invalidArgument(`cannot find image "${text}": the prefix fits ${images.size} images`, {
      hint: 'give more digits',
    });
  }
  return records.find((each) => each.tags.length > 0) ?? records[0];
}

/** The image's manifest for a platform, or for this machine. Throws not-found with what there is. */
export function manifestFor(record: ImageRecord, platform: Platform | undefined): PlatformManifest {
  if (!platform) return record.manifest;
  const chosen = choosePlatform(platform, record.manifests, (each) => each.platform);
  if (chosen) return chosen;
  const there = record.manifests.map((each) => formatPlatform(each.platform)).join(', ');
  throw notFound(
    `image "${record.tags[0] ?? record.id}" was found but does not provide the platform ${formatPlatform(platform)}; it is here for ${there}`,
  );
}
