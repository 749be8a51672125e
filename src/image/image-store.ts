import type { DatabaseSync } from 'node:sqlite';
import { type Digest, parseDigest } from '../base/digest.ts';
import { notFound, SlipwayError } from '../base/errors.ts';
import type { ContentStore } from '../content/content-store.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { choosePlatform, hostPlatform } from '../oci/platform.ts';
import { formatReference, type Reference, withDefaultTag, withDigest } from '../oci/reference.ts';
import { type PlatformManifest, presentImages } from './image-content.ts';

/** A stored image: what its names point to, and the platforms of it that are here. */
export interface ImageRecord {
  /** The manifest or index that the names stand for. */
  readonly target: Descriptor;
  /** Docker's image id: the config digest of the manifest that is used here by default. */
  readonly id: Digest;
  /** The manifest for this machine's platform, or the first one. */
  readonly manifest: PlatformManifest;
  readonly manifests: readonly PlatformManifest[];
  /** Full names with a tag (`docker.io/library/node:20`), sorted. An image without any is dangling. */
  readonly tags: readonly string[];
  /** Full names with a digest (`docker.io/library/node@sha256:…`), sorted: where it was pulled from or pushed to. */
  readonly digests: readonly string[];
  /** Milliseconds since the epoch: when it came into the store, and when a name of it last changed. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface ImageStoreOptions {
  readonly database: DatabaseSync;
  readonly content: ContentStore;
  /** Milliseconds since the epoch; for tests. */
  readonly now?: () => number;
}

/*
 * images            one row per manifest or index that is kept
 *   digest PK, media_type, size, created_at, updated_at
 * image_names       name PK (docker.io/library/x:tag or …@sha256:…), target → images.digest
 * image_manifests   the platforms of a target that are here: target, digest, config
 */
const schema = `
  CREATE TABLE IF NOT EXISTS images (
    digest TEXT PRIMARY KEY, media_type TEXT NOT NULL, size INTEGER NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS image_names (
    name TEXT PRIMARY KEY, target TEXT NOT NULL REFERENCES images(digest)) STRICT;
  CREATE INDEX IF NOT EXISTS image_names_by_target ON image_names(target);
  CREATE TABLE IF NOT EXISTS image_manifests (
    target TEXT NOT NULL, digest TEXT NOT NULL, config TEXT NOT NULL, PRIMARY KEY (target, digest)) STRICT;
  CREATE INDEX IF NOT EXISTS image_manifests_by_config ON image_manifests(config);
`;

/**
 * Names of images. A name points to a manifest or index in the content store; what has lost its last tag stays as a
 * dangling image until it is removed. Every call is one transaction and durable when it returns.
 */
export class ImageStore {
  readonly #database: DatabaseSync;
  readonly #content: ContentStore;
  readonly #now: () => number;

  constructor({ database, content, now = Date.now }: ImageStoreOptions) {
    this.#database = database;
    this.#content = content;
    this.#now = now;
    database.exec(schema);
  }

  /**
   * Stores an image whose manifests and configs are in the content store, under the given names. Names that pointed elsewhere
   * move; the answer tells from where. Storing again adds platforms that have come since.
   */
  put(target: Descriptor, names: readonly Reference[] = []): { readonly moved: ReadonlyMap<string, Digest> } {
    const present = presentImages(this.#content, target);
    const now = this.#now();
    return this.#transact(() => {
      this.#run(
        `INSERT INTO images VALUES (?, ?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET updated_at = excluded.updated_at`,
        ...[target.digest, target.mediaType, target.size, now, now],
      );
      for (const { descriptor, config } of present) {
        this.#run('INSERT OR REPLACE INTO image_manifests VALUES (?, ?, ?)', target.digest, descriptor.digest, config);
      }
      return { moved: this.#setNames(target.digest, names) };
    });
  }

  /** Points a further name to a stored image. */
  tag(target: Digest, name: Reference): { readonly moved: ReadonlyMap<string, Digest> } {
    return this.#transact(() => {
      const found = this.#run('UPDATE images SET updated_at = ? WHERE digest = ?', this.#now(), target);
      if (found === 0) throw notFound(`No such image: ${target}`);
      return { moved: this.#setNames(target, [name]) };
    });
  }

  /** Takes a name away; the image stays. False when there was no such name. */
  untag(name: string): boolean {
    return this.#run('DELETE FROM image_names WHERE name = ?', name) > 0;
  }

  /** Forgets an image and its names; its blobs and layers go at the next collection. */
  remove(target: Digest): void {
    this.#transact(() => {
      this.#run('DELETE FROM image_names WHERE target = ?', target);
      this.#run('DELETE FROM image_manifests WHERE target = ?', target);
      this.#run('DELETE FROM images WHERE digest = ?', target);
    });
  }

  /** The target of a full name, with tag or digest. */
  targetOf(name: string): Digest | undefined {
    const [row] = this.#all('SELECT target FROM image_names WHERE name = ?', name);
    return row && digestIn(row, 'target');
  }

  /** Targets by a prefix of hex digits of their own, a manifest's or a config's digest. */
  targetsByPrefix(hexPrefix: string): readonly { readonly target: Digest; readonly matched: Digest }[] {
    const range = [`sha256:${hexPrefix}`, `sha256:${hexPrefix}g`];
    const rows = this.#all(
      `SELECT target, config AS matched FROM image_manifests WHERE config BETWEEN ? AND ?
       UNION SELECT target, digest FROM image_manifests WHERE digest BETWEEN ? AND ?
       UNION SELECT digest, digest FROM images WHERE digest BETWEEN ? AND ? ORDER BY 1, 2`,
      ...[...range, ...range, ...range],
    );
    return rows.map((row) => ({ target: digestIn(row, 'target'), matched: digestIn(row, 'matched') }));
  }

  /** One stored image, or undefined when it is not stored or its content is gone. */
  get(target: Digest): ImageRecord | undefined {
    const [row] = this.#all('SELECT * FROM images WHERE digest = ?', target);
    return row && this.#recordOf(row);
  }

  /** All images, the latest first. */
  list(): readonly ImageRecord[] {
    return this.#all('SELECT * FROM images ORDER BY created_at DESC, digest').flatMap(
      (row) => this.#recordOf(row) ?? [],
    );
  }

  /** All stored targets, also those whose content is damaged. */
  targets(): readonly Descriptor[] {
    return this.#all('SELECT * FROM images').map(descriptorIn);
  }

  /** All names with their targets, sorted by name. */
  names(): readonly { readonly name: string; readonly target: Digest }[] {
    const rows = this.#all('SELECT name, target FROM image_names ORDER BY name');
    return rows.map((row) => ({ name: String(row.name), target: digestIn(row, 'target') }));
  }

  #recordOf(row: Row): ImageRecord | undefined {
    const target = descriptorIn(row);
    const manifests = this.#readableImages(target);
    const manifest = choosePlatform(hostPlatform(), manifests, (each) => each.platform) ?? manifests[0];
    if (!manifest) return undefined;
    const rows = this.#all('SELECT name FROM image_names WHERE target = ? ORDER BY name', target.digest);
    const names = rows.map((each) => String(each.name));
    return {
      target,
      id: manifest.config,
      manifest,
      manifests,
      tags: names.filter((name) => !name.includes('@')),
      digests: names.filter((name) => name.includes('@')),
      createdAt: Number(row.created_at),
      updatedAt: Number(row.updated_at),
    };
  }

  /** None when a document is gone or damaged: one bad image must not hide the others. */
  #readableImages(target: Descriptor): readonly PlatformManifest[] {
    try {
      return presentImages(this.#content, target);
    } catch (error) {
      if (error instanceof SlipwayError) return [];
      throw error;
    }
  }

  /** A reference with tag and digest becomes two names. */
  #setNames(target: Digest, names: readonly Reference[]): ReadonlyMap<string, Digest> {
    const moved = new Map<string, Digest>();
    for (const reference of names) {
      const { domain, path, tag, digest } = withDefaultTag(reference);
      const forms = [
        ...(tag === undefined ? [] : [{ domain, path, tag }]),
        ...(digest ? [withDigest(reference, digest)] : []),
      ];
      for (const name of forms.map(formatReference)) {
        const before = this.targetOf(name);
        if (before !== undefined && before !== target) moved.set(name, before);
        this.#run('INSERT OR REPLACE INTO image_names VALUES (?, ?)', name, target);
      }
    }
    return moved;
  }

  #run(sql: string, ...values: (string | number)[]): number {
    return Number(this.#database.prepare(sql).run(...values).changes);
  }

  #all(sql: string, ...values: (string | number)[]): Row[] {
    return this.#database.prepare(sql).all(...values);
  }

  #transact<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

type Row = Record<string, unknown>;

function digestIn(row: Row, column: string): Digest {
  return parseDigest(String(row[column]));
}

function descriptorIn(row: Row): Descriptor {
  return { mediaType: String(row.media_type), digest: digestIn(row, 'digest'), size: Number(row.size) };
}
