import type { SolveRequest } from '../../api/gen/control_pb.js';
import { type AttestationOptions, readAttestationOptions } from '../../attestation/options.ts';
import type { Attestation } from '../../attestation/statement.ts';
import { invalidArgument } from '../../base/errors.ts';
import { exportResult } from '../../exporter/export-result.ts';
import type { ExportTarget } from '../../exporter/exporter.ts';
import type { FrontendResult } from '../../frontend/frontend.ts';
import { readDefinition, readDefinitions } from '../../graph/definition.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import { parseImageConfig } from '../../oci/parse-image-config.ts';
import { hostPlatform, type Platform, parsePlatform } from '../../oci/platform.ts';
import { stackOf } from '../../worker/ref.ts';
import type { Build } from './build.ts';
import { buildError } from './build-error.ts';
import { attestProvenance } from './provenance.ts';
import type { ScopedRequest } from './request-scope.ts';
import { runFrontend } from './run-frontend.ts';

/** Runs a whole request: frontend, solver, exporters. */
export async function solveBuild(
  build: Build,
  request: SolveRequest,
  fromClient: () => Promise<FrontendResult>,
): Promise<Record<string, string>> {
  let result: FrontendResult | undefined;
  try {
    result = await frontendResult(build, request, fromClient);
    build.result = result;
    for (const edge of result.refs.values()) build.scope.addEdge(edge);
    const wanted = readAttestationOptions(Object.entries(request.FrontendAttrs));
    const targets = await exportTargets(build, result, wanted);
    return await exportAll(build, request, targets, result);
  } catch (error) {
    build.signal.throwIfAborted();
    throw buildError(error, result);
  }
}

async function frontendResult(
  build: Build,
  request: SolveRequest,
  fromClient: () => Promise<FrontendResult>,
): Promise<FrontendResult> {
  if (request.Definition && request.Definition.def.length > 0) {
    return { refs: new Map([['', readDefinition(request.Definition)]]), metadata: new Map() };
  }
  if (request.Frontend === '') return fromClient();
  return runFrontend(build, build.scope, requestOf(request));
}

/** What the client asks of a frontend. The gateway by the name of what is built in is that itself. */
export function requestOf(request: SolveRequest): ScopedRequest {
  const options = new Map(Object.entries(request.FrontendAttrs));
  const inputs = readDefinitions(request.FrontendInputs);
  const isBuiltin = request.Frontend === 'gateway.v0' && options.get('source') === 'dockerfile.v0';
  const isNamed = [...options.keys()].some((name) => /^context:dockerfile\.v0(::|$)/.test(name));
  if (!isBuiltin || isNamed) return { frontend: request.Frontend, options, inputs };
  options.delete('source');
  return { frontend: 'dockerfile.v0', options, inputs };
}

async function exportTargets(
  build: Build,
  result: FrontendResult,
  wanted: AttestationOptions,
): Promise<ExportTarget[]> {
  const entries = [...result.refs].map(async ([platformId, edge]): Promise<ExportTarget> => {
    const ref = edge && (await build.solve(edge));
    const metadata = (key: string) => result.metadata.get(platformId === '' ? key : `${key}/${platformId}`);
    const bytes = metadata('containerimage.config');
    const config = bytes && parseImageConfig(bytes);
    const base = metadata('containerimage.base.config');
    const epoch = Number(Buffer.from(metadata('source.date.epoch') ?? '').toString() || Number.NaN);
    const platform = config ? platformOfConfig(config) : platformId === '' ? hostPlatform() : parsePlatform(platformId);
    return {
      platformId,
      platform,
      stack: ref ? await stackOf(ref, build.signal) : [],
      config,
      baseLayers: base ? parseImageConfig(base).rootfs.diff_ids.length : 0,
      epoch: Number.isSafeInteger(epoch) ? epoch : undefined,
      attestations: edge ? attestResult({ build, result, platformId, edge }, wanted) : [],
    };
  });
  return Promise.all(entries);
}

function attestResult(
  subject: Parameters<typeof attestProvenance>[0],
  { provenance }: AttestationOptions,
): Attestation[] {
  return provenance ? [attestProvenance(subject, provenance)] : [];
}

function platformOfConfig({ os, architecture, variant, 'os.version': version }: ImageConfig): Platform {
  return {
    os,
    architecture,
    ...(variant ? { variant } : {}),
    ...(version ? { 'os.version': version } : {}),
  };
}

async function exportAll(
  build: Build,
  request: SolveRequest,
  targets: readonly ExportTarget[],
  result: FrontendResult,
): Promise<Record<string, string>> {
  const { engine } = build;
  const wanted =
    request.Exporters.length > 0
      ? request.Exporters
      : request.ExporterDeprecated === ''
        ? []
        : [{ Type: request.ExporterDeprecated, Attrs: request.ExporterAttrsDeprecated }];
  const response: Record<string, string> = {};
  for (const [key, value] of result.metadata)
    if (/^(?:result\.|version$)/.test(key)) response[`frontend.${key}`] = Buffer.from(value).toString();
  // An answer to a question is no image.
  if (result.metadata.has('result.json')) return response;
  const services = {
    snapshots: engine.snapshots,
    content: engine.content,
    bulk: engine.bulk,
    archiver: engine.archiver,
    images: engine.images,
    layerBlobs: engine.layerBlobs,
    runDirectory: engine.worker.runDirectory,
  };
  const [session] = build.sessions;
  for (const [index, { Type, Attrs }] of wanted.entries()) {
    const answer = await build.show(exportName(Type), (progress) =>
      exportResult(services, Type, {
        targets,
        attrs: new Map(Object.entries(Attrs)),
        index,
        session: async () => {
          if (session === undefined)
            throw invalidArgument(
              `cannot export as ${JSON.stringify(Type)}: the client serves no session to send it to`,
            );
          return engine.sessions.get(session, { signal: build.signal });
        },
        registry: engine.registryFor(build.sessions),
        progress: build.exportProgress(progress),
        signal: build.signal,
      }),
    );
    Object.assign(response, answer);
  }
  return response;
}

function exportName(type: string): string {
  if (type === 'image' || type === 'moby' || type === 'registry') return 'exporting to image';
  if (type === 'oci') return 'exporting to oci image format';
  if (type === 'docker') return 'exporting to docker image format';
  return type === 'tar' ? 'exporting to client tarball' : 'exporting to client directory';
}
