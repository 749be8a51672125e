import { DockerfileError } from '../dockerfile/diagnostic.ts';
import type { Dockerfile } from '../dockerfile/instruction.ts';
import { type ParsedDockerfile, parseDockerfile } from '../dockerfile/parse-dockerfile.ts';
import type { SourceFile } from '../graph/definition.ts';
import { type BuildContext, openBuildContext } from './build-context.ts';
import { type BuildOptions, readBuildOptions } from './build-options.ts';
import type { FrontendGateway, FrontendRequest } from './frontend.ts';
import { NamedContexts } from './named-contexts.ts';

/** A request with its Dockerfile read. */
export interface PreparedBuild {
  readonly gateway: FrontendGateway;
  readonly options: BuildOptions;
  readonly context: BuildContext;
  readonly named: NamedContexts;
  readonly source: SourceFile;
  readonly parsed: ParsedDockerfile;
}

export async function prepareBuild(gateway: FrontendGateway, request: FrontendRequest): Promise<PreparedBuild> {
  const options = readBuildOptions(request.options, gateway);
  const context = await openBuildContext(gateway, options, request);
  return {
    gateway,
    options,
    context,
    named: new NamedContexts(gateway, options, request),
    source: {
      filename: context.filename,
      data: context.dockerfile,
      language: 'Dockerfile',
      origin: context.definition,
    },
    parsed: parseDockerfile(context.dockerfile),
  };
}

/** Throws DockerfileError with all that is wrong with the file. */
export function dockerfileOf({ parsed: { dockerfile, diagnostics }, source }: PreparedBuild): Dockerfile {
  if (dockerfile) return dockerfile;
  throw new DockerfileError(diagnostics, source.filename, Buffer.from(source.data).toString('utf8'));
}
