import { invalidArgument } from '../base/errors.ts';
import type { ContainerRecord } from './container-record.ts';

export type ContainerFilters = ReadonlyMap<string, readonly string[]>;

/** What filters ask beyond the records themselves. */
export interface FilterContext {
  /** Throws not-found. */
  find(text: string): ContainerRecord;
  /** The id of an image by name; undefined when there is none. */
  imageIdOf(name: string): string | undefined;
}

const known =
  'ancestor before exited expose health id is-task isolation label label! name network publish since status until volume'.split(
    ' ',
  );
const statuses = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'];

/** Keeps what all keys agree on; of one key's values any may match, of labels all must. Throws invalid-argument. */
export function containerFilter(
  filters: ContainerFilters,
  context: FilterContext,
): (record: ContainerRecord) => boolean {
  for (const key of filters.keys()) if (!known.includes(key)) throw invalidArgument(`invalid filter '${key}'`);
  for (const status of filters.get('status') ?? [])
    if (!statuses.includes(status)) throw invalidArgument(`invalid filter 'status=${status}'`);
  const tests = [...filters].flatMap(([key, values]) => {
    const test = testFor(key, values, context);
    return test ? [test] : [];
  });
  return (record) => tests.every((test) => test(record));
}

type Test = (record: ContainerRecord) => boolean;

function testFor(key: string, values: readonly string[], context: FilterContext): Test | undefined {
  const any =
    (test: (record: ContainerRecord, value: string) => boolean): Test =>
    (record) =>
      values.some((value) => test(record, value));
  switch (key) {
    case 'id':
      return any(({ id }, value) => id.startsWith(value));
    case 'name':
      return nameTest(values);
    case 'status':
      return any(({ state }, value) => state.status === value);
    case 'exited':
      return any(({ state }, value) => state.status === 'exited' && `${state.exitCode}` === value);
    case 'ancestor':
      return ancestorTest(values, context);
    case 'label':
      return ({ config }) => values.every((value) => hasLabel(config.Labels ?? {}, value));
    case 'label!':
      return ({ config }) => !values.some((value) => hasLabel(config.Labels ?? {}, value));
    case 'network':
      return any(({ hostConfig }, value) => networkName(hostConfig.NetworkMode) === value);
    case 'volume':
      return any(({ mounts }, value) => mounts.some(({ name, target }) => name === value || target === value));
    case 'before':
      return createdTest(values, context, (created, than) => created < than);
    case 'since':
      return createdTest(values, context, (created, than) => created > than);
    case 'health':
      return () => values.includes('none');
    case 'publish':
    case 'expose':
      return any(({ config }, value) =>
        Object.keys(config.ExposedPorts ?? {}).some((port) => port.split('/')[0] === value),
      );
    default:
      return undefined;
  }
}

export function networkName(mode = 'default'): string {
  return mode === 'default' || mode === '' ? 'bridge' : mode;
}

export function hasLabel(labels: Readonly<Record<string, string>>, text: string): boolean {
  const equals = text.indexOf('=');
  const key = equals < 0 ? text : text.slice(0, equals);
  return Object.hasOwn(labels, key) && (equals < 0 || labels[key] === text.slice(equals + 1));
}

/** docker takes regular expressions: of those the signs that cannot take for ever, the rest as it is written. */
function nameTest(values: readonly string[]): Test {
  const patterns = values.map(
    (value) =>
      new RegExp(
        value
          .slice(0, 256)
          .replaceAll(/[()[\]{}+?\\]/g, '\\$&')
          .replaceAll(/(^|[^.])\*/g, '$1\\*'),
      ),
  );
  return ({ name }) => patterns.some((pattern) => pattern.test(name) || pattern.test(`/${name}`));
}

function ancestorTest(values: readonly string[], { imageIdOf }: FilterContext): Test {
  const ids = new Set(values.map(imageIdOf));
  return ({ image, imageId }) => ids.has(imageId) || values.includes(image);
}

function createdTest(
  values: readonly string[],
  { find }: FilterContext,
  compare: (created: string, than: string) => boolean,
): Test {
  const times = values.map((value) => find(value).created);
  return ({ created }) => times.every((time) => compare(created, time));
}
