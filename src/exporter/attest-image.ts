import { imagePurl } from '../attestation/purl.ts';
import { type Attestation, makeStatement, type Subject, subjectOf } from '../attestation/statement.ts';
import { invalidArgument } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { formatManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { formatReference } from '../oci/reference.ts';
import type { CommittedImage } from './commit-image.ts';
import type { ImageAttrs } from './export-attrs.ts';
import type { ExportServices } from './exporter.ts';

/** What is said of one image: a manifest with a statement in each layer. */
export interface AttestationManifest {
  readonly manifest: Descriptor;
  /** Config and statements, in the content store. */
  readonly blobs: readonly Descriptor[];
}

const unknownPlatform = { os: 'unknown', architecture: 'unknown' } as const;
const artifactType = 'application/vnd.docker.attestation.manifest.v1+json';

/** Which attestations a kind of output takes; one that is for images only does not by itself turn an archive into an index. */
export function attestationsFor(attestations: readonly Attestation[], withInline: boolean): readonly Attestation[] {
  return withInline ? attestations : attestations.filter(({ inlineOnly }) => !inlineOnly);
}

/** BuildKit's form (docs/attestations/attestation-storage.md there). The image's manifest must be the one that leaves. */
export async function attestImage(
  { content }: ExportServices,
  { manifest, target }: CommittedImage,
  attestations: readonly Attestation[],
  attrs: ImageAttrs,
): Promise<AttestationManifest> {
  if (!attrs.oci)
    throw invalidArgument('cannot export attestations with "oci-mediatypes=false"', {
      hint: 'leave it out, or build with --provenance=false --sbom=false',
    });
  const self = attrs.names.map((name) =>
    subjectOf(imagePurl('docker', formatReference(name), target.platform), manifest.digest),
  );
  const subjects: readonly Subject[] = self.length > 0 ? self : [subjectOf('_', manifest.digest)];
  const layers: Descriptor[] = [];
  for (const attestation of attestations) {
    const statement = await makeStatement(attestation, subjects);
    const { digest, size } = content.writeSmall(JSON.stringify(statement));
    const annotations = { 'in-toto.io/predicate-type': statement.predicateType };
    layers.push({ mediaType: mediaTypes.inToto, digest, size, annotations });
  }
  const config = writeConfig(content, layers, attrs.ociArtifact);
  const { digest, mediaType, size } = manifest;
  const bytes = formatManifest({
    mediaType: mediaTypes.ociManifest,
    ...(attrs.ociArtifact ? { artifactType, subject: { mediaType, digest, size } } : {}),
    config,
    layers,
  });
  const blob = content.writeSmall(bytes);
  return {
    manifest: {
      mediaType: mediaTypes.ociManifest,
      digest: blob.digest,
      size: blob.size,
      platform: unknownPlatform,
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': digest,
      },
    },
    blobs: [config, ...layers],
  };
}

function writeConfig(
  content: ExportServices['content'],
  layers: readonly Descriptor[],
  isArtifact: boolean,
): Descriptor {
  const config = isArtifact
    ? '{}'
    : JSON.stringify({
        ...unknownPlatform,
        config: {},
        rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
      });
  const { digest, size } = content.writeSmall(config);
  return {
    mediaType: isArtifact ? mediaTypes.ociEmpty : mediaTypes.ociConfig,
    digest,
    size,
  };
}
