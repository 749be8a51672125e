import { LLBBridge } from '../../api/gen/gateway_pb.js';
import type { CallContext, Router } from '../../api/grpc/router.ts';
import { platformOf } from '../../worker/source-image.ts';
import { frontendCaps, llbCaps } from './caps.ts';
import type { ClientGateway } from './client-gateway.ts';
import { ExecStream } from './exec-stream.ts';
import { readDirectory, readFile, statFile } from './read-tree.ts';
import { type WorkerIdentity, workerRecord } from './worker-record.ts';

/** `moby.buildkit.v1.frontend.LLBBridge`: what frontends outside of the daemon ask; each call belongs to one of them. */
export function addBridgeRoutes(
  router: Router,
  gatewayOf: (context: CallContext) => Promise<ClientGateway>,
  worker: WorkerIdentity,
): void {
  router.add(LLBBridge, {
    ping: async (_request, context) => {
      await gatewayOf(context);
      return {
        FrontendAPICaps: frontendCaps.map(capability),
        LLBCaps: llbCaps.map(capability),
        Workers: [workerRecord(worker)],
      };
    },
    solve: async (request, context) => {
      const gateway = await gatewayOf(context);
      return { result: await gateway.solve(request) };
    },
    return: async (request, context) => {
      (await gatewayOf(context)).return(request);
      return {};
    },
    inputs: async (_request, context) => {
      const gateway = await gatewayOf(context);
      return { Definitions: gateway.inputs() };
    },
    evaluate: async ({ Ref }, context) => {
      const gateway = await gatewayOf(context);
      const edge = gateway.edge(Ref);
      if (edge) await gateway.build.solve(edge);
      return {};
    },
    resolveImageConfig: async ({ Ref, Platform, ResolveMode, LogName }, context) => {
      const { gateway } = await gatewayOf(context);
      const found = await gateway.resolveImageConfig(Ref, {
        platform: platformOf(Platform),
        resolveMode: ResolveMode,
        logName: LogName || `resolve image config for ${Ref}`,
      });
      return { Digest: found.digest, Config: found.config, Ref: found.reference };
    },
    resolveSourceMeta: async ({ Source, Platform, ResolveMode, LogName }, context) => {
      const { gateway } = await gatewayOf(context);
      const reference = /^docker-image:\/\/(.+)$/.exec(Source?.identifier ?? '')?.[1];
      if (reference === undefined || !Source) return { Source };
      const found = await gateway.resolveImageConfig(reference, {
        platform: platformOf(Platform),
        resolveMode: ResolveMode,
        logName: LogName || `resolve image config for ${reference}`,
      });
      return { Source, Image: { Digest: found.digest, Config: found.config } };
    },
    readFile: async (request, context) => {
      const gateway = await gatewayOf(context);
      return gateway.gateway.withRoot(gateway.edge(request.Ref), (root) => readFile(root, request));
    },
    readDir: async (request, context) => {
      const gateway = await gatewayOf(context);
      return gateway.gateway.withRoot(gateway.edge(request.Ref), (root) => readDirectory(root, request));
    },
    statFile: async (request, context) => {
      const gateway = await gatewayOf(context);
      return gateway.gateway.withRoot(gateway.edge(request.Ref), (root) => statFile(root, request));
    },
    warn: async ({ short, detail, url, info, ranges }, context) => {
      const { gateway } = await gatewayOf(context);
      gateway.warn({
        short: Buffer.from(short).toString(),
        detail: detail.map((line) => Buffer.from(line).toString()),
        url,
        source: { filename: info?.filename ?? '', data: info?.data ?? Buffer.alloc(0), language: info?.language ?? '' },
        ranges: ranges.map(({ start, end }) => ({ startLine: start?.line ?? 0, endLine: end?.line ?? 0 })),
      });
      return {};
    },
    newContainer: async (request, context) => {
      await (await gatewayOf(context)).openContainer(request);
      return {};
    },
    releaseContainer: async ({ ContainerID }, context) => {
      await (await gatewayOf(context)).releaseContainer(ContainerID);
      return {};
    },
    async *execProcess(messages, context) {
      const gateway = await gatewayOf(context);
      yield* new ExecStream((id) => gateway.container(id)).serve(messages);
    },
    readFileContainer: async (request, context) => {
      const container = await (await gatewayOf(context)).container(request.Ref);
      return readFile(container.rootOf(request.MountIndex), request);
    },
    readDirContainer: async (request, context) => {
      const container = await (await gatewayOf(context)).container(request.Ref);
      return readDirectory(container.rootOf(request.MountIndex), request);
    },
    statFileContainer: async (request, context) => {
      const container = await (await gatewayOf(context)).container(request.Ref);
      return statFile(container.rootOf(request.MountIndex), request);
    },
  });
}

function capability(ID: string) {
  return { ID, Enabled: true };
}
