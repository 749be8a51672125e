import { DockerfileError } from '../dockerfile/diagnostic.ts';
import type { Dockerfile } from '../dockerfile/instruction.ts';
import { parseDockerfile } from '../dockerfile/parse-dockerfile.ts';
import { formatPlatform } from '../oci/platform.ts';
import { openBuildContext } from './build-context.ts';
import { readBuildOptions } from './build-options.ts';
import { DockerfileConverter } from './dockerfile-converter.ts';
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
  const contextPaths = pathsFromContext(dockerfile);
  const targets = await Promise.all(
    options.platforms.map((platform) =>
      new DockerfileConverter(gateway, dockerfile, { options, context, named, platform, contextPaths }).convert(),
    ),
  );
  const metadata = new Map<string, Uint8Array>();
  const refs = new Map<string, FrontendResult['refs'] extends ReadonlyMap<string, infer E> ? E : never>();
  for (const { edge, image, platform } of targets) {
    const id = options.multiPlatform ? formatPlatform(platform) : '';
    refs.set(id, edge);
    metadata.set(`containerimage.config${id === '' ? '' : `/${id}`}`, Buffer.from(JSON.stringify(image.finish())));
  }
  if (options.multiPlatform) {
    const platforms = targets.map(({ platform }) => ({ ID: formatPlatform(platform), Platform: platform }));
    metadata.set('refs.platforms', Buffer.from(JSON.stringify({ Platforms: platforms })));
  }
  return { refs, metadata, source };
}

/** The context paths that instructions name; only these need to come from the client. Variables may stand for anything. */
function pathsFromContext(dockerfile: Dockerfile): ReadonlySet<string> {
  const paths = new Set<string>();
  for (const instruction of dockerfile.stages.flatMap((stage) => stage.instructions)) {
    if (instruction.name === 'add' || (instruction.name === 'copy' && instruction.from === undefined)) {
      for (const source of instruction.sources) paths.add(source.includes('$') ? '/' : source);
    } else if (instruction.name === 'run' && instruction.mounts.some((mount) => !mount.includes('from=')))
      paths.add('/');
    else if (instruction.name === 'onbuild') paths.add('/');
  }
  return paths.has('/') || paths.has('.') || paths.has('./') ? new Set() : paths;
}
