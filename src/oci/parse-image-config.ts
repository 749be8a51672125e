import { type Digest, isDigest } from '../base/digest.ts';
import type { ContainerConfig, HealthConfig, HistoryEntry, ImageConfig } from './image-config.ts';
import {
  badDocument,
  isJsonObject,
  type JsonObject,
  optionalString,
  optionalStringMap,
  optionalStrings,
  own,
  parseJsonObject,
} from './json.ts';
import { platformFrom } from './parse-descriptor.ts';

const what = 'image config';

/**
 * Reads an image config of a stranger (image-spec config.md). What is null or missing becomes absent, a missing rootfs an
 * empty one; what has the wrong type is refused. Unknown fields are kept as they are.
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const document = parseJsonObject(bytes, what, 8 << 20);
  const known = new Set(['config', 'rootfs', 'history', 'created', 'author', 'os.version', 'os.features', 'variant']);
  const unknown = Object.fromEntries(Object.entries(document).filter(([key]) => !known.has(key)));
  const config = optionalObject(document, 'config');
  const history = parseHistory(own(document, 'history'));
  return {
    ...unknown,
    ...platformFrom(document, what),
    ...strings(document, ['created', 'author']),
    ...(config ? { config: parseContainerConfig(config) } : {}),
    rootfs: { type: 'layers', diff_ids: parseDiffIds(document) },
    ...(history ? { history } : {}),
  };
}

/** The diffIDs of a config, bottom first. Those of parseImageConfig are always well-formed. */
export function diffIdsOf(config: ImageConfig): readonly Digest[] {
  return config.rootfs.diff_ids.map((text) => {
    if (!isDigest(text)) throw badDocument(what, `diffID ${JSON.stringify(text.slice(0, 100))} is not a sha256 digest`);
    return text;
  });
}

function parseDiffIds(document: JsonObject): readonly string[] {
  const rootfs = optionalObject(document, 'rootfs');
  const list = rootfs ? (optionalStrings(rootfs, 'diff_ids', `${what}, "rootfs"`) ?? []) : [];
  const bad = list.find((text) => !isDigest(text));
  if (bad !== undefined) {
    throw badDocument(what, `diffID ${JSON.stringify(bad.slice(0, 100))} is not sha256: and 64 lower-case hex digits`);
  }
  return list;
}

function parseHistory(value: unknown): readonly HistoryEntry[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw badDocument(what, '"history" is not a list');
  // A null entry once crashed a daemon (CVE-2024-36620); it says nothing, so it reads as an empty entry.
  return value.map((entry: unknown, index) => {
    if (entry === null) return {};
    if (!isJsonObject(entry)) throw badDocument(what, `"history"[${index}] is not an object`);
    const empty = own(entry, 'empty_layer');
    return {
      ...strings(entry, ['created', 'created_by', 'author', 'comment']),
      ...(empty === true ? { empty_layer: true } : {}),
    };
  });
}

function parseContainerConfig(config: JsonObject): ContainerConfig {
  const place = `${what}, "config"`;
  const checked: Record<string, unknown> = Object.fromEntries(
    Object.entries(config).filter(([, value]) => value !== null && value !== undefined),
  );
  for (const key of ['Hostname', 'User', 'WorkingDir', 'StopSignal']) optionalString(config, key, place);
  for (const key of ['Env', 'Entrypoint', 'Cmd', 'OnBuild', 'Shell']) optionalStrings(config, key, place);
  optionalStringMap(config, 'Labels', place);
  for (const key of ['ExposedPorts', 'Volumes']) {
    const value = own(config, key);
    if (value === undefined || value === null) continue;
    if (!isJsonObject(value)) throw badDocument(place, `"${key}" is not an object`);
    checked[key] = Object.fromEntries(Object.keys(value).map((name) => [name, {}]));
  }
  const health = own(config, 'Healthcheck');
  if (isJsonObject(health)) checked.Healthcheck = parseHealth(health, place);
  else if (health !== undefined && health !== null) throw badDocument(place, '"Healthcheck" is not an object');
  return checked as ContainerConfig;
}

function parseHealth(health: JsonObject, place: string): HealthConfig {
  const test = optionalStrings(health, 'Test', place);
  const numbers = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'].flatMap((key) => {
    const value = own(health, key);
    if (value === undefined || value === null) return [];
    if (typeof value !== 'number') throw badDocument(place, `"Healthcheck"."${key}" is not a number`);
    return [[key, value] as const];
  });
  return { ...(test ? { Test: test } : {}), ...Object.fromEntries(numbers) };
}

function optionalObject(document: JsonObject, key: string): JsonObject | undefined {
  const value = own(document, key);
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) throw badDocument(what, `"${key}" is not an object`);
  return value;
}

function strings<K extends string>(object: JsonObject, keys: readonly K[]): { [P in K]?: string } {
  const found: { [P in K]?: string } = {};
  for (const key of keys) {
    const value = optionalString(object, key, what);
    if (value !== undefined) found[key] = value;
  }
  return found;
}
