import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SlipwayError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import {
  imageNameAnnotation,
  layoutFileName,
  layoutFileText,
  parseLayoutIndex,
  refNameAnnotation,
} from '../oci/image-layout.ts';
import { formatManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { parseDescriptor } from '../oci/parse-descriptor.ts';
import { parseReference } from '../oci/reference.ts';

/** How an image is found in a layout: by a tag of the layout's own, or by the name that it has elsewhere. */
export type LayoutName = { readonly tag: string } | { readonly name: string };

/** The descriptor of the image that a build has written, as its exporter tells it. */
export function exportedImage(exporterResponse: Readonly<Record<string, string>>): Descriptor {
  const text = exporterResponse['containerimage.descriptor'];
  if (text === undefined) throw new SlipwayError('internal', 'the daemon did not say which image it has written');
  return parseDescriptor(JSON.parse(Buffer.from(text, 'base64').toString('utf8')), 'containerimage.descriptor');
}

/**
 * Names an image whose blobs are in a layout: in its `index.json`, where what had that name before loses it. A daemon writes blobs only, so
 * that this is its client's to do, as BuildKit's clients do it.
 */
export function nameInLayout(directory: string, image: Descriptor, names: readonly LayoutName[]): void {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'index.json');
  const before = existsSync(path) ? parseLayoutIndex(readFileSync(path)).manifests : [];
  const added = names.map((name) => ({ ...image, annotations: { ...image.annotations, ...annotationsOf(name) } }));
  const kept = before.filter((old) => !added.some((each) => sameName(old, each)));
  write(path, Buffer.from(formatManifest({ mediaType: mediaTypes.ociIndex, manifests: [...kept, ...added] })));
  write(join(directory, layoutFileName), layoutFileText);
}

function annotationsOf(name: LayoutName): Record<string, string> {
  if ('tag' in name) return { [refNameAnnotation]: name.tag };
  return { [imageNameAnnotation]: name.name, [refNameAnnotation]: parseReference(name.name).tag ?? 'latest' };
}

function sameName(one: Descriptor, other: Descriptor): boolean {
  return [imageNameAnnotation, refNameAnnotation].every((key) => one.annotations?.[key] === other.annotations?.[key]);
}

function write(path: string, content: string | Uint8Array): void {
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, content);
  renameSync(aside, path);
}
