import { DockerfileError } from '../dockerfile/diagnostic.ts';
import { parseDockerfile } from '../dockerfile/parse-dockerfile.ts';
import { formatPlatform } from '../oci/platform.ts';
import { openBuildContext } from './build-context.ts';
import { readBuildOptions } from './build-options.ts';
import { type ConvertedTarget, convertDockerfile } from './dockerfile-converter.ts';
import type { FrontendGateway, FrontendRequest, FrontendResult } from './frontend.ts';
import { NamedContexts } from './named-contexts.ts';

/** The frontend `dockerfile.v0`: options in, per platform a state and an image config out. */
export async function solveDockerfile(gateway: FrontendGateway, request: FrontendRequest): Promise<FrontendResult> {
  const options = readBuildOptions(request.options, gateway);
  const context = await openBuildContext(gateway, options, request);
  const source = { filename: context.filename, data: context.dockerfile, language: 'Dockerfile' };
  const { dockerfile, diagnostics } = parseDockerfile(context.dockerfile);
  if (!dockerfile)
    throw new DockerfileError(diagnostics, context.filename, Buffer.from(context.dockerfile).toString('utf8'));
  const named = new NamedContexts(gateway, options, request);
  const platforms = options.platforms.length > 0 ? options.platforms : [undefined];
  const targets = await Promise.all(
    platforms.map((platform) => convertDockerfile({ gateway, dockerfile, options, context, named, platform })),
  );
  return { ...resultOf(targets, options.multiPlatform), source };
}

function resultOf(targets: readonly ConvertedTarget[], isMap: boolean): Pick<FrontendResult, 'refs' | 'metadata'> {
  const refs: [string, ConvertedTarget['edge']][] = [];
  const metadata = new Map<string, Uint8Array>();
  const add = (key: string, value: unknown) => metadata.set(key, Buffer.from(JSON.stringify(value)));
  for (const { edge, config, baseConfig, platform, epoch } of targets) {
    const id = isMap ? formatPlatform(platform) : '';
    const suffix = isMap ? `/${id}` : '';
    refs.push([id, edge]);
    add(`containerimage.config${suffix}`, config);
    if (baseConfig) add(`containerimage.base.config${suffix}`, baseConfig);
    if (epoch !== undefined) add(`source.date.epoch${suffix}`, epoch);
  }
  const platforms = targets.map(({ platform }) => ({ ID: formatPlatform(platform), Platform: platform }));
  add('refs.platforms', { Platforms: platforms });
  return { refs: new Map(refs), metadata };
}
