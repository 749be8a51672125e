import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { digestLayer } from '../archive/layer-tar.ts';
import { chainIdsOf } from '../oci/chain-id.ts';
import { formatManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { parseReference } from '../oci/reference.ts';
import { listTags } from '../registry/listing.ts';
import { BulkPool } from '../snapshot/bulk-pool.ts';
import { createLayerArchiver } from './archive-layers.ts';
import { findImage } from './find-image.ts';
import { ImageFixture } from './image-fixture.ts';
import { pullImage } from './pull.ts';
import { pushImage } from './push.ts';

const binary = '/usr/bin/docker-registry';
const skopeo = '/usr/bin/skopeo';
const skip =
  (!existsSync(binary) && 'no docker-registry') ||
  (!existsSync(skopeo) && 'no skopeo') ||
  (process.getuid?.() !== 0 && 'unpacking needs root');

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startRegistry(directory: string): Promise<{ host: string } & AsyncDisposable> {
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(directory, 'registry.yml');
  writeFileSync(
    config,
    `version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: ${directory}/registry\nhttp:\n  addr: ${host}\n`,
  );
  const child = spawn(binary, ['serve', config], { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  for (let tries = 0; tries < 300; tries++) {
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    if (answer?.ok) break;
    await sleep(50);
  }
  return {
    host,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** An image of one real layer, as a build leaves it. */
function addBuilt(fixture: ImageFixture, name: string): void {
  const active = fixture.snapshots.prepare([]);
  const directory = fixture.snapshots.activeDirectory(active);
  mkdirSync(join(directory, 'etc'));
  writeFileSync(join(directory, 'etc/motd'), 'hello\n'.repeat(10_000));
  symlinkSync('motd', join(directory, 'etc/link'));
  const { diffId, tarSize } = digestLayer(directory);
  const stack = [fixture.snapshots.commit(active, { diffId, tarSize })];
  const [chain] = chainIdsOf([diffId]);
  if (chain) fixture.snapshots.setChain(chain, stack);
  const config = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [diffId] } };
  const manifest = formatManifest({
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, ...fixture.content.writeSmall(JSON.stringify(config)) },
    layers: [{ mediaType: mediaTypes.ociLayer, digest: diffId, size: tarSize }],
  });
  fixture.images.put({ mediaType: mediaTypes.ociManifest, ...fixture.content.writeSmall(manifest) }, [
    parseReference(name),
  ]);
}

test('push to and pull from the distribution registry, seen by skopeo too', { skip }, async () => {
  await using stack = new AsyncDisposableStack();
  const pool = stack.adopt(new BulkPool(1), (each) => each.close());
  using fixture = new ImageFixture(createLayerArchiver(pool));
  await using registry = await startRegistry(fixture.directory);
  const name = `${registry.host}/team/app:1`;
  addBuilt(fixture, name);
  for (const compression of ['gzip', 'zstd'] as const) {
    const pushed = await pushImage(fixture, parseReference(name), { compression: { compression } });
    using other = new ImageFixture(createLayerArchiver(pool));
    const pulled = await pullImage(other, parseReference(name));
    assert.equal(pulled.image.target.digest, pushed.digest);
    assert.equal(findImage(other.images, name).record.id, findImage(fixture.images, name).record.id);
    const [layer] = pulled.stack;
    assert.ok(layer);
    assert.equal(
      readFileSync(join(other.snapshots.layerDirectory(layer), 'etc/link'), 'utf8'),
      'hello\n'.repeat(10_000),
    );
  }
  assert.deepEqual(await listTags(fixture.client, parseReference(name)), ['1']);
  const target = `dir:${fixture.directory}/copied`;
  await promisify(execFile)(skopeo, [
    '--insecure-policy',
    'copy',
    '-q',
    '--src-tls-verify=false',
    `docker://${name}`,
    target,
  ]);
  const manifest = JSON.parse(readFileSync(`${fixture.directory}/copied/manifest.json`, 'utf8'));
  assert.equal(manifest.layers[0].mediaType, mediaTypes.ociLayerZstd);
});
