import { sendExportFile } from '../api/session/send-export.ts';
import { layoutExportStore, SessionContent } from '../api/session/session-content.ts';
import type { Digest } from '../base/digest.ts';
import { type PackedFile, packTar } from '../image/tar-stream.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import {
  imageNameAnnotation,
  layoutBlobPath,
  layoutFileName,
  layoutFileText,
  refNameAnnotation,
} from '../oci/image-layout.ts';
import { formatManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { familiarReference, formatReference } from '../oci/reference.ts';
import { flag, type ImageAttrs, readImageAttrs } from './export-attrs.ts';
import type { ExportRequest, ExportResponse, ExportServices } from './exporter.ts';
import { attestAll, commitAll, type ImageSet, imageResponse } from './image-exporter.ts';
import { type PackedImage, packImage } from './pack-image.ts';

/** `type=oci` and `type=docker`: an OCI image layout as a tar, for `docker` with the list that `docker load` reads too. */
export async function exportArchive(
  services: ExportServices,
  request: ExportRequest,
  kind: 'oci' | 'docker',
): Promise<ExportResponse> {
  const attrs = readImageAttrs(request.attrs, { oci: kind === 'oci' });
  const committed = await request.progress.step('exporting layers', () => commitAll(services, request, attrs));
  const packed = await request.progress.step('compressing layers', () =>
    Promise.all(committed.map((image) => packImage(services, image, attrs.compression, request.signal))),
  );
  const set = await attestAll(services, packed, attrs);
  const files = archiveFiles(services, packed, set, attrs);
  const response = imageResponse(set.images, set.target, attrs);
  const session = await request.session();
  if (!flag(request.attrs, 'tar', true)) {
    const store = new SessionContent(session, layoutExportStore);
    await request.progress.step('copying layout', () => sendLayout(store, services, packed, set, request.signal));
    return response;
  }
  await request.progress.step('sending tarball', () =>
    sendExportFile(session, packTar(['blobs', 'blobs/sha256'], files), {
      exporter: request.index,
      metadata: response,
      signal: request.signal,
    }),
  );
  return response;
}

/** `tar=false`: blobs go into the client's content store, what refers to others last; the client writes the layout's index. */
async function sendLayout(
  store: SessionContent,
  { content }: ExportServices,
  images: readonly PackedImage[],
  { attestations, target }: ImageSet,
  signal: AbortSignal,
): Promise<void> {
  const blobs = [
    ...images.flatMap(({ image, layers }) => [...layers, image.config, image.manifest]),
    ...attestations.flatMap((each) => [...each.blobs, each.manifest]),
  ];
  for (const { digest, size } of new Map([...blobs, target].map((each) => [each.digest, each])).values())
    await store.write(digest, size, content.read(digest, { signal }), signal);
}

function archiveFiles(
  services: ExportServices,
  images: readonly PackedImage[],
  { attestations, target }: ImageSet,
  attrs: ImageAttrs,
): PackedFile[] {
  const { content } = services;
  const blobs = new Map<Digest, PackedFile>();
  const add = ({ digest, size }: Descriptor) =>
    blobs.set(digest, { name: layoutBlobPath(digest), size, open: () => content.read(digest) });
  add(target);
  for (const { image, layers } of images) for (const blob of [image.manifest, image.config, ...layers]) add(blob);
  for (const each of attestations) for (const blob of [each.manifest, ...each.blobs]) add(blob);
  const named = attrs.names.map((name) => ({
    ...target,
    annotations: { [imageNameAnnotation]: formatReference(name), [refNameAnnotation]: name.tag ?? '' },
  }));
  const index = formatManifest({ mediaType: mediaTypes.ociIndex, manifests: named.length > 0 ? named : [target] });
  const list = images.map(({ image, layers }) => ({
    Config: layoutBlobPath(image.config.digest),
    RepoTags: attrs.names.map(familiarReference),
    Layers: layers.map(({ digest }) => layoutBlobPath(digest)),
  }));
  const text = (name: string, body: Uint8Array | string): PackedFile => {
    const bytes = Buffer.from(body as string);
    return { name, size: bytes.length, open: () => [bytes] };
  };
  const sorted = [...blobs].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
  return [
    text(layoutFileName, layoutFileText),
    text('index.json', index),
    text('manifest.json', JSON.stringify(list)),
    ...sorted,
  ];
}
