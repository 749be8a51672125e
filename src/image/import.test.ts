import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../base/digest.ts';
import type { Instruction, InstructionBase } from '../dockerfile/instruction.ts';
import { parseReference } from '../oci/reference.ts';
import { applyChanges } from './change-config.ts';
import { readImage } from './image-content.ts';
import { ImageFixture } from './image-fixture.ts';
import { importImage } from './import.ts';

const base: InstructionBase = {
  original: '',
  range: { startLine: 1, startCharacter: 0, endLine: 1, endCharacter: 0 },
  comments: [],
};
const changes: Instruction[] = [
  { ...base, name: 'env', variables: [{ key: 'A', value: '1' }] },
  {
    ...base,
    name: 'env',
    variables: [
      { key: 'A', value: '2' },
      { key: 'B', value: '' },
    ],
  },
  { ...base, name: 'cmd', command: { form: 'shell', text: 'echo $A', heredocs: [] } },
  { ...base, name: 'entrypoint', command: { form: 'exec', args: ['/x'] } },
  { ...base, name: 'label', labels: [{ key: '__proto__', value: 'x' }] },
  { ...base, name: 'expose', ports: ['80', '53/udp'] },
  { ...base, name: 'onbuild', trigger: 'RUN x' },
];

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

test('an instruction that is not about the config is refused', () => {
  const run: Instruction = { ...base, name: 'workdir', path: '/w' };
  assert.deepEqual(applyChanges({}, [run]), { WorkingDir: '/w' });
  const maintainer: Instruction = { ...base, name: 'maintainer', maintainer: 'x' };
  assert.throws(() => applyChanges({}, [maintainer]), /by MAINTAINER/);
});
