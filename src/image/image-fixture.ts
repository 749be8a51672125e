import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync, gzipSync } from 'node:zlib';
import { digestOf } from '../base/digest.ts';
import { LocalContentStore } from '../content/local-content-store.ts';
import { chainIdsOf } from '../oci/chain-id.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { formatManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Platform } from '../oci/platform.ts';
import { parseReference } from '../oci/reference.ts';
import { RegistryClient } from '../registry/registry-client.ts';
import { OverlaySnapshots } from '../snapshot/overlay-snapshots.ts';
import { ImageStore } from './image-store.ts';
import type { LayerArchiver } from './layer-archiver.ts';
import { LayerBlobs } from './materialize-layers.ts';
import { Unpacker } from './unpack.ts';

/** Keeps a layer's bytes as one file: enough where it is not about tar. */
export const plainArchiver: LayerArchiver & { applied: number } = {
  applied: 0,
  async apply(blobPath, directory) {
    plainArchiver.applied++;
    const blob = readFileSync(blobPath);
    const tar = blob[0] === 0x1f ? gunzipSync(blob) : blob;
    writeFileSync(join(directory, 'tar'), tar);
    return { diffId: digestOf(tar), tarSize: tar.length };
  },
  async *write(directory) {
    yield readFileSync(join(directory, 'tar'));
  },
  async *compress(bytes, compression) {
    const all = Buffer.concat(await Array.fromAsync(bytes));
    yield compression === 'gzip' ? gzipSync(all) : all;
  },
  async *decompress(bytes) {
    const all = Buffer.concat(await Array.fromAsync(bytes));
    yield all[0] === 0x1f ? gunzipSync(all) : all;
  },
};

/** The stores of a daemon in a directory of their own, for tests. */
export class ImageFixture {
  readonly directory = mkdtempSync(join(tmpdir(), 'images-'));
  readonly database = new DatabaseSync(join(this.directory, 'meta.db'));
  readonly content = new LocalContentStore(join(this.directory, 'content'));
  readonly snapshots = new OverlaySnapshots(join(this.directory, 'snapshots'), this.database);
  readonly client = new RegistryClient({ retry: { sleep: async () => {} } });
  readonly archiver: LayerArchiver;
  readonly images: ImageStore;
  readonly layerBlobs: LayerBlobs;
  readonly unpacker: Unpacker;
  #now = 0;

  constructor(archiver: LayerArchiver = plainArchiver) {
    this.archiver = archiver;
    this.database.exec('PRAGMA foreign_keys = ON');
    this.images = new ImageStore({ ...this.#parts(), now: () => ++this.#now });
    this.layerBlobs = new LayerBlobs({ ...this.#parts(), archiver });
    this.unpacker = new Unpacker({ ...this.#parts(), archiver, layerBlobs: this.layerBlobs });
  }

  /** The stores as a daemon finds them that starts on what is on disk now. */
  reopen(): { readonly images: ImageStore; readonly unpacker: Unpacker } {
    const database = this.database;
    const content = new LocalContentStore(join(this.directory, 'content'));
    const snapshots = new OverlaySnapshots(join(this.directory, 'snapshots'), database);
    const images = new ImageStore({ database, content });
    const { archiver } = this;
    const layerBlobs = new LayerBlobs({ database, content, snapshots, archiver });
    return { images, unpacker: new Unpacker({ content, snapshots, archiver, layerBlobs }) };
  }

  #parts() {
    return { database: this.database, content: this.content, snapshots: this.snapshots };
  }

  /** An image as a build leaves it: layers as snapshots with diffIDs, no blobs. */
  addBuilt(name: string | undefined, layers: readonly string[], platform: Partial<Platform> = {}): Descriptor {
    const manifest = this.addManifest(layers, platform);
    let stack = this.snapshots.findChain(chainIdsOf([digestOf(layers[0] ?? '')])[0] ?? digestOf('')) ?? [];
    const diffIds = layers.map((each) => digestOf(each));
    for (const [index, layer] of layers.entries()) {
      if (index < stack.length) continue;
      const active = this.snapshots.prepare(stack);
      writeFileSync(join(this.snapshots.activeDirectory(active), 'tar'), layer);
      stack = [...stack, this.snapshots.commit(active, { diffId: digestOf(layer), tarSize: layer.length })];
      const chain = chainIdsOf(diffIds)[index];
      if (chain) this.snapshots.setChain(chain, stack);
    }
    this.images.put(manifest, name === undefined ? [] : [parseReference(name)]);
    return manifest;
  }

  /** A manifest and config in the content store; its layers are uncompressed tars that are nowhere yet. */
  addManifest(layers: readonly string[], platform: Partial<Platform> = {}): Descriptor {
    const full = { os: 'linux', architecture: 'amd64', ...platform };
    const rootfs = { type: 'layers', diff_ids: layers.map((each) => digestOf(each)) };
    const config = this.content.writeSmall(JSON.stringify({ ...full, config: { Env: ['A=1'] }, rootfs }));
    const manifest = formatManifest({
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, ...config },
      layers: layers.map((each) => ({ mediaType: mediaTypes.ociLayer, digest: digestOf(each), size: each.length })),
    });
    return { mediaType: mediaTypes.ociManifest, ...this.content.writeSmall(manifest), platform: full };
  }

  /** An index over manifests in the content store. */
  addIndex(manifests: readonly Descriptor[]): Descriptor {
    const blob = this.content.writeSmall(formatManifest({ mediaType: mediaTypes.ociIndex, manifests }));
    return { mediaType: mediaTypes.ociIndex, ...blob };
  }

  [Symbol.dispose](): void {
    this.client.close();
    this.snapshots.close();
    if (this.database.isOpen) this.database.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
