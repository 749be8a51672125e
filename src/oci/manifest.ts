import type { Descriptor } from './descriptor.ts';
import {
  badDocument,
  canonicalJson,
  type JsonObject,
  optionalString,
  optionalStringMap,
  own,
  parseJsonObject,
} from './json.ts';
import { isIndexType, isManifestType, mediaTypes } from './media-types.ts';
import { parseDescriptor } from './parse-descriptor.ts';

interface DocumentFields {
  readonly mediaType: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  readonly subject?: Descriptor;
}

/** image-spec manifest.md, or Docker's schema 2 with the same shape. */
export interface Manifest extends DocumentFields {
  readonly kind: 'manifest';
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** image-spec image-index.md, or Docker's manifest list. */
export interface Index extends DocumentFields {
  readonly kind: 'index';
  readonly manifests: readonly Descriptor[];
}

/** Registries refuse larger ones too (distribution-spec, "Pushing Manifests"). */
export const manifestSizeLimit = 4 << 20;
const mostDescriptors = 10_000;

/**
 * Reads a manifest or index of a stranger. When `mediaType` is known (Content-Type, descriptor) the document must be of
 * that very type: a document that two readers could take for two things is refused (CVE-2021-41190).
 */
export function parseManifest(bytes: Uint8Array, mediaType?: string): Manifest | Index {
  const what = 'image manifest';
  const document = parseJsonObject(bytes, what, manifestSizeLimit);
  const type = documentType(document, mediaType, what);
  const [mine, other] = isIndexType(type) ? ['manifests', 'layers'] : ['layers', 'manifests'];
  if (own(document, other) !== undefined || (isIndexType(type) && own(document, 'config') !== undefined)) {
    throw badDocument(what, `ambiguous: a document of type ${type} must not have "${other}"`);
  }
  const fields = documentFields(document, type, what);
  if (isIndexType(type)) return { kind: 'index', ...fields, manifests: descriptors(document, mine, what) };
  return {
    kind: 'manifest',
    ...fields,
    config: parseDescriptor(own(document, 'config'), `${what}, "config"`),
    layers: descriptors(document, mine, what),
  };
}

/** Like parseManifest, for a place where only a manifest can stand. */
export function parseImageManifest(bytes: Uint8Array, mediaType?: string): Manifest {
  const document = parseManifest(bytes, mediaType);
  if (document.kind === 'manifest') return document;
  throw badDocument('image manifest', 'it is an index of manifests');
}

function documentType(document: JsonObject, expected: string | undefined, what: string): string {
  const version = own(document, 'schemaVersion');
  if (version === 1) {
    throw badDocument(what, 'schema 1 is out of use; pull and push the image once with a tool that converts it');
  }
  if (version !== 2) throw badDocument(what, `"schemaVersion" is ${JSON.stringify(version) ?? 'missing'}, want 2`);
  const stated = optionalString(document, 'mediaType', what);
  const given = expected && (isIndexType(expected) || isManifestType(expected)) ? expected : undefined;
  if (stated !== undefined && given !== undefined && stated !== given) {
    throw badDocument(what, `it says it is ${JSON.stringify(stated)} but was announced as ${JSON.stringify(given)}`);
  }
  const type = stated ?? given ?? guessType(document);
  if (isIndexType(type) || isManifestType(type)) return type;
  throw badDocument(what, `media type ${JSON.stringify(type)} is neither a manifest nor an index`);
}

function guessType(document: JsonObject): string {
  return own(document, 'manifests') === undefined ? mediaTypes.ociManifest : mediaTypes.ociIndex;
}

function documentFields(document: JsonObject, mediaType: string, what: string): DocumentFields {
  const annotations = optionalStringMap(document, 'annotations', what);
  const artifactType = optionalString(document, 'artifactType', what);
  const subject = own(document, 'subject');
  return {
    mediaType,
    ...(annotations ? { annotations } : {}),
    ...(artifactType ? { artifactType } : {}),
    ...(subject === undefined || subject === null ? {} : { subject: parseDescriptor(subject, `${what}, "subject"`) }),
  };
}

function descriptors(document: JsonObject, key: string, what: string): readonly Descriptor[] {
  const list = own(document, key) ?? [];
  if (!Array.isArray(list)) throw badDocument(what, `"${key}" is not a list`);
  if (list.length > mostDescriptors) {
    throw badDocument(what, `"${key}" has ${list.length} entries, the limit is ${mostDescriptors}`);
  }
  return list.map((item, index) => parseDescriptor(item, `${what}, "${key}"[${index}]`));
}

/** The bytes of a manifest or index; the same value always gives the same bytes. */
export function formatManifest(document: Omit<Manifest, 'kind'> | Omit<Index, 'kind'>): Uint8Array {
  const { kind: _, ...fields } = { kind: undefined, ...document };
  return Buffer.from(canonicalJson({ schemaVersion: 2, ...fields }));
}
