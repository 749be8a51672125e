import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { notFound } from '../base/errors.ts';
import { containerFilter } from './container-filters.ts';
import { type ContainerRecord, createdState } from './container-record.ts';
import { containerSummary } from './inspect-container.ts';
import { statusText } from './status-text.ts';

const record = (more: Partial<ContainerRecord>): ContainerRecord => ({
  id: 'a'.repeat(64),
  name: 'web',
  created: '2026-01-01T00:00:00.000Z',
  imageId: 'sha256:1',
  image: 'node:20',
  config: { Labels: { tier: 'front', url: 'a=b' } },
  hostConfig: {},
  mounts: [],
  layer: '1',
  state: createdState,
  ...more,
});

suite('container filters', () => {
  const web = record({});
  const data = record({
    id: 'b'.repeat(64),
    name: 'web-data',
    created: '2026-01-02T00:00:00.000Z',
    imageId: 'sha256:2',
    image: 'redis',
    config: {},
    hostConfig: { NetworkMode: 'none' },
    state: { ...createdState, status: 'exited', exitCode: 3 },
  });
  const context = {
    find: (text: string) => {
      const found = [web, data].find(({ name }) => name === text);
      if (!found) throw notFound(text);
      return found;
    },
    imageIdOf: (name: string) => (name === 'latest-node' ? 'sha256:1' : undefined),
  };
  const names = (filters: Record<string, string[]>) =>
    [web, data].filter(containerFilter(new Map(Object.entries(filters)), context)).map(({ name }) => name);

  test('values of one key are alternatives, keys all count, labels all count', () => {
    assert.deepEqual(names({}), ['web', 'web-data']);
    assert.deepEqual(names({ name: ['data', 'nothing'] }), ['web-data']);
    assert.deepEqual(names({ name: ['web'], status: ['exited'] }), ['web-data']);
    assert.deepEqual(names({ label: ['tier=front', 'url=a=b'] }), ['web']);
    assert.deepEqual(names({ label: ['tier=front', 'other'] }), []);
    assert.deepEqual(names({ label: ['constructor'] }), []);
    assert.deepEqual(names({ exited: ['3'] }), ['web-data']);
    assert.deepEqual(names({ network: ['bridge'] }), ['web']);
    assert.deepEqual(names({ ancestor: ['latest-node'] }), ['web']);
    assert.deepEqual(names({ ancestor: ['redis'] }), ['web-data']);
    assert.deepEqual(names({ since: ['web'] }), ['web-data']);
    assert.deepEqual(names({ before: ['web-data'] }), ['web']);
    assert.deepEqual(names({ id: ['bbb'] }), ['web-data']);
  });

  test('names are patterns, of which none takes for ever', () => {
    assert.deepEqual(names({ name: ['^/web$'] }), ['web']);
    assert.deepEqual(names({ name: ['^web-.*a$'] }), ['web-data']);
    assert.deepEqual(names({ name: ['(a+)+$', '[', '*', '\\'] }), []);
  });

  test('what is no filter is said', () => {
    assert.throws(() => names({ colour: ['red'] }), /invalid filter 'colour'/);
    assert.throws(() => names({ status: ['asleep'] }), /invalid filter 'status=asleep'/);
    assert.throws(() => names({ since: ['nobody'] }), /nobody/);
  });
});

suite('docker’s words for a container', () => {
  const now = Date.parse('2026-01-01T03:00:00Z');
  const status = (state: object) => statusText(record({ state: { ...createdState, ...state } }), now);

  test('status', () => {
    assert.equal(status({}), 'Created');
    assert.equal(status({ status: 'running', startedAt: '2026-01-01T00:00:00Z' }), 'Up 3 hours');
    assert.equal(status({ status: 'running', startedAt: '2026-01-01T02:59:59.5Z' }), 'Up Less than a second');
    assert.equal(
      status({ status: 'exited', exitCode: 137, finishedAt: '2026-01-01T02:58:59Z' }),
      'Exited (137) About a minute ago',
    );
  });

  test('a command shows arguments with spaces in quotes', () => {
    const { Command } = containerSummary(record({ config: { Entrypoint: ['sh'], Cmd: ['-c', 'echo hi'] } }), 'x') as {
      Command: string;
    };
    assert.equal(Command, "sh -c 'echo hi'");
  });
});
