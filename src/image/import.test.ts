import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../base/digest.ts';
import { parseReference } from '../oci/reference.ts';
import { applyChanges, parseChanges } from './change-config.ts';
import { readImage } from './image-content.ts';
import { ImageFixture } from './image-fixture.ts';
import { importImage } from './import.ts';

const changes = parseChanges([
  'ENV A=1',
  'ENV A=2 B=',
  'CMD echo $A',
  'ENTRYPOINT ["/x"]',
  'LABEL __proto__=x',
  'EXPOSE 80 53/udp',
  'ONBUILD RUN x',
]);

test('a root file system becomes an image with the changes asked for', async () => {
  using fixture = new ImageFixture();
  const rootfs = async function* () {
    yield gzipSync('tar');
  };
  const created = new Date(0);
  const record = await importImage(fixture, rootfs(), {
    name: parseReference('base'),
    message: 'hello',
    changes,
    created,
  });
  assert.deepEqual(record.tags, ['docker.io/library/base:latest']);
  const { config } = readImage(fixture.content, record.target);
  assert.deepEqual(config.rootfs.diff_ids, [digestOf('tar')]);
  assert.deepEqual(config.history, [{ created: created.toISOString(), comment: 'hello' }]);
  assert.deepEqual(config.config?.Env, ['A=2', 'B=']);
  assert.deepEqual(config.config?.Cmd, ['/bin/sh', '-c', 'echo $A']);
  assert.deepEqual(Object.entries(config.config?.Labels ?? {}), [['__proto__', 'x']]);
  assert.deepEqual(config.config?.ExposedPorts, { '80/tcp': {}, '53/udp': {} });
});

test('changes that are wrong, or not about the config, are refused', () => {
  assert.deepEqual(applyChanges({}, parseChanges(['WORKDIR /w'])), { WorkingDir: '/w' });
  assert.throws(() => applyChanges({}, parseChanges(['RUN x'])), /by RUN/);
  assert.throws(() => parseChanges(['NONSENSE x', 'ENV']), { code: 'invalid-argument' });
});
