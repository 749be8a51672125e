import { isDigest } from '../base/digest.ts';
import type { Descriptor } from './descriptor.ts';
import {
  badDocument,
  isJsonObject,
  type JsonObject,
  optionalString,
  optionalStringMap,
  optionalStrings,
  own,
} from './json.ts';
import type { Platform } from './platform.ts';

/** Reads one descriptor of a stranger's document (image-spec descriptor.md). `what` names its place in errors. */
export function parseDescriptor(value: unknown, what: string): Descriptor {
  if (!isJsonObject(value)) throw badDocument(what, 'it is not a descriptor object');
  const mediaType = optionalString(value, 'mediaType', what);
  if (!mediaType) throw badDocument(what, 'it has no "mediaType"');
  const digest = optionalString(value, 'digest', what) ?? '';
  if (!isDigest(digest)) {
    const shown = JSON.stringify(digest.slice(0, 100));
    throw badDocument(what, `its digest ${shown} is not sha256: and 64 lower-case hex digits`);
  }
  const size = own(value, 'size');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw badDocument(what, `its size ${JSON.stringify(size) ?? 'is missing and'} is not a number of bytes`);
  }
  const platform = parsePlatformObject(own(value, 'platform'), what);
  const annotations = optionalStringMap(value, 'annotations', what);
  const artifactType = optionalString(value, 'artifactType', what);
  const urls = optionalStrings(value, 'urls', what);
  return {
    mediaType,
    digest,
    size,
    ...(platform ? { platform } : {}),
    ...(annotations ? { annotations } : {}),
    ...(artifactType ? { artifactType } : {}),
    ...(urls && urls.length > 0 ? { urls } : {}),
  };
}

function parsePlatformObject(value: unknown, what: string): Platform | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) throw badDocument(what, '"platform" is not an object');
  return platformFrom(value, what);
}

/** The platform fields that descriptors and image configs share. */
export function platformFrom(value: JsonObject, what: string): Platform {
  const variant = optionalString(value, 'variant', what);
  const version = optionalString(value, 'os.version', what);
  const features = optionalStrings(value, 'os.features', what);
  return {
    os: optionalString(value, 'os', what) ?? '',
    architecture: optionalString(value, 'architecture', what) ?? '',
    ...(variant ? { variant } : {}),
    ...(version ? { 'os.version': version } : {}),
    ...(features && features.length > 0 ? { 'os.features': features } : {}),
  };
}
