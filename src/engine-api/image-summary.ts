import { imageSize } from '../image/describe-image.ts';
import { readImage } from '../image/image-content.ts';
import type { ImageRecord } from '../image/image-store.ts';
import { familiarReference, parseReference } from '../oci/reference.ts';
import type { EngineServices } from './engine-services.ts';

/** A row of `GET /images/json`. */
export function imageSummary(
  { content, snapshots }: Pick<EngineServices, 'content' | 'snapshots'>,
  record: ImageRecord,
): object {
  const image = readImage(content, record.manifest.descriptor);
  const familiar = (names: readonly string[]) => names.map((name) => familiarReference(parseReference(name)));
  const size = imageSize(snapshots, image);
  return {
    Id: record.id,
    ParentId: '',
    RepoTags: familiar(record.tags),
    RepoDigests: familiar(record.digests),
    Created: secondsOf(image.config.created),
    Size: size,
    SharedSize: -1,
    VirtualSize: size,
    Labels: image.config.config?.Labels ?? null,
    Containers: -1,
  };
}

export function secondsOf(time: string | undefined): number {
  const milliseconds = Date.parse(time ?? '');
  return Number.isNaN(milliseconds) ? 0 : Math.floor(milliseconds / 1000);
}
