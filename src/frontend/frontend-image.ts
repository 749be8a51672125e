import { sourceOp } from '../graph/ops.ts';
import type { Edge } from '../graph/vertex.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { parseImageConfig } from '../oci/parse-image-config.ts';
import { formatReference, parseReference, withDefaultTag } from '../oci/reference.ts';
import { readBuildOptions } from './build-options.ts';
import { requireCapabilities } from './capabilities.ts';
import type { FrontendGateway, FrontendRequest } from './frontend.ts';
import { NamedContexts } from './named-contexts.ts';

/** An image that holds a frontend. */
export interface FrontendImage {
  readonly edge: Edge | undefined;
  readonly config: ImageConfig | undefined;
}

/** Whether the frontend that is built in serves what the image would: itself, or `docker/dockerfile` in any of its channels. */
export function isBuiltinFrontend(image: string): boolean {
  return image === 'dockerfile.v0' || /^(docker\.io\/)?docker\/dockerfile(-upstream)?(:|@|$)/.test(image);
}

/** Looks up the image, or what the client put under its name. Throws unimplemented when it cannot do what the request needs. */
export async function findFrontendImage(
  gateway: FrontendGateway,
  request: FrontendRequest,
  source: string,
): Promise<FrontendImage> {
  const options = readBuildOptions(request.options, gateway);
  const { buildPlatform: platform } = options;
  const named = await new NamedContexts(gateway, options, request).state(source, platform);
  if (named) return checked({ edge: named.files([]), config: named.config }, request);
  const reference = formatReference(withDefaultTag(parseReference(source)));
  const resolved = await gateway.resolveImageConfig(reference, {
    platform,
    resolveMode: options.resolveMode,
    logName: `resolve image config for docker-image://${reference}`,
  });
  const pinned = resolved.reference.includes('@') ? resolved.reference : `${resolved.reference}@${resolved.digest}`;
  const edge = sourceOp(
    `docker-image://${pinned}`,
    { 'image.recordtype': 'frontend' },
    { name: `docker-image://${pinned}` },
  );
  return checked({ edge, config: parseImageConfig(resolved.config) }, request);
}

function checked(image: FrontendImage, { options, inputs }: FrontendRequest): FrontendImage {
  const able = new Set((image.config?.config?.Labels?.['moby.buildkit.frontend.caps'] ?? '').split(','));
  requireCapabilities(options.get('frontend.caps'), able);
  if (inputs.size > 0) requireCapabilities('moby.buildkit.frontend.inputs', able);
  return image;
}
