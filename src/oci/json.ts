import { errorMessage, SlipwayError } from '../base/errors.ts';

export type JsonObject = { readonly [key: string]: unknown };

/** Depth at which a document is refused: image documents have less than ten levels. */
const deepest = 64;

/**
 * Reads a JSON object of a stranger: valid UTF-8, bounded size and depth, an object at the top. `what` names it in errors.
 * Keys such as `__proto__` stay plain own properties (JSON.parse defines, it never assigns).
 */
export function parseJsonObject(bytes: Uint8Array, what: string, limit = 4 << 20): JsonObject {
  if (bytes.length > limit) {
    throw new SlipwayError('resource-exhausted', `cannot read ${what}: ${bytes.length} bytes, the limit is ${limit}`);
  }
  let value: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    checkDepth(text, what);
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SlipwayError) throw error;
    throw badDocument(what, looksLikeHtml(bytes) ? 'it is an HTML page, not JSON' : errorMessage(error));
  }
  if (!isJsonObject(value)) throw badDocument(what, 'it is not a JSON object');
  return value;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function badDocument(what: string, why: string): SlipwayError {
  return new SlipwayError('invalid-argument', `cannot read ${what}: ${why}`);
}

export function looksLikeHtml(bytes: Uint8Array): boolean {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 256)).trimStart().toLowerCase();
  return start.startsWith('<!doctype html') || start.startsWith('<html');
}

/** An over-estimate is enough: brackets inside strings count too, but only as far as they are not closed. */
function checkDepth(text: string, what: string): void {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > deepest) throw badDocument(what, `it nests deeper than ${deepest} levels`);
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
}

/**
 * JSON with the keys of every object sorted by code unit and no white space: the same value gives the same bytes, and so the
 * same digest, whatever the order in which it was put together. Undefined members are left out.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sortKeys(value));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  // fromEntries defines own properties, also for a key named __proto__.
  return Object.fromEntries(entries.map(([key, member]) => [key, sortKeys(member)]));
}

export function optionalString(object: JsonObject, key: string, what: string): string | undefined {
  const value = own(object, key);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw badDocument(what, `${JSON.stringify(key)} is not a string`);
  return value;
}

export function optionalStrings(object: JsonObject, key: string, what: string): readonly string[] | undefined {
  const value = own(object, key);
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw badDocument(what, `${JSON.stringify(key)} is not a list of strings`);
  }
  return value;
}

export function optionalStringMap(
  object: JsonObject,
  key: string,
  what: string,
): Readonly<Record<string, string>> | undefined {
  const value = own(object, key);
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value) || !Object.values(value).every((item) => typeof item === 'string')) {
    throw badDocument(what, `${JSON.stringify(key)} is not an object of strings`);
  }
  return value as Readonly<Record<string, string>>;
}

/** Only what the document itself says: never `constructor` or the like from the prototype. */
export function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
