import { type Capture, captureGraph, type FactsOf, type ImageMaterial } from '../../attestation/capture.ts';
import type { FrontendResult } from '../../frontend/frontend.ts';
import type { Edge } from '../../graph/vertex.ts';
import { type Platform, parsePlatform } from '../../oci/platform.ts';
import type { Build } from './build.ts';

/** What went into one platform's result, also by ways that are not in its graph: files that the frontend read, images that it looked up. */
export function captureResult(build: Build, result: FrontendResult, platformId: string, edge: Edge): Capture {
  const factsOf = factsByVertex(build);
  const capture = captureGraph(edge.vertex, factsOf);
  const maker = build.scope.makerOf(edge) ?? build.scope;
  const results = new Set(result.refs.values());
  for (const other of maker.edges())
    if (!results.has(other) && build.isSolved(other)) capture.merge(captureGraph(other.vertex, factsOf));
  const images = [...maker.images()];
  for (const image of platformId === '' ? images : ofPlatform(images, platformId, [...result.refs.keys()]))
    capture.addImage(image);
  capture.dropPinnedTwins();
  return capture;
}

function factsByVertex(build: Build): FactsOf {
  const facts = new Map(build.traces().map(({ vertex, keying }) => [vertex.digest, keying?.facts ?? {}]));
  return (vertex) => facts.get(vertex) ?? {};
}

/** An image that was looked up for every platform counts for its own only. */
function ofPlatform(images: readonly ImageMaterial[], platformId: string, all: readonly string[]): ImageMaterial[] {
  const wanted = parsePlatform(platformId);
  const platforms = all.map((id) => parsePlatform(id));
  const isFor = (image: ImageMaterial, platform: Platform) =>
    image.platform?.os === platform.os && image.platform.architecture === platform.architecture;
  const forAll = new Set(
    images
      .filter(({ reference }) =>
        platforms.every((platform) => images.some((each) => each.reference === reference && isFor(each, platform))),
      )
      .map(({ reference }) => reference),
  );
  return images.filter((image) => !forAll.has(image.reference) || !image.platform || isFor(image, wanted));
}
