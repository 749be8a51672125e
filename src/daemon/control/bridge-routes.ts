import { lstatSync, readlinkSync } from 'node:fs';
import { fileModeOfStat, goModeOf } from '../../api/filesync/go-file-mode.ts';
import { LLBBridge } from '../../api/gen/gateway_pb.js';
import type { CallContext, Router } from '../../api/grpc/router.ts';
import { notFound, SlipwayError } from '../../base/errors.ts';
import { compileGoMatch } from '../../dockerfile/go-match.ts';
import { namesIn } from '../../snapshot/select-files.ts';
import { joinBytes, resolveTreePath, toBytes, toText } from '../../snapshot/tree-path.ts';
import { readInRoot } from '../../worker/read-in-root.ts';
import { platformOf } from '../../worker/source-image.ts';
import { frontendCaps, llbCaps } from './caps.ts';
import type { ClientGateway } from './client-gateway.ts';
import { type WorkerIdentity, workerRecord } from './worker-record.ts';

/** `moby.buildkit.v1.frontend.LLBBridge`: what frontends outside of the daemon ask; each call belongs to one of them. */
export function addBridgeRoutes(
  router: Router,
  gatewayOf: (context: CallContext) => Promise<ClientGateway>,
  worker: WorkerIdentity,
): void {
  const notYet = (what: string) => async () => {
    throw new SlipwayError('unimplemented', `${what} is not supported`);
  };
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
    readFile: async ({ Ref, FilePath, Range }, context) => {
      const gateway = await gatewayOf(context);
      const bytes = await gateway.gateway.withRoot(gateway.edge(Ref), (root) => readInRoot(root, FilePath));
      if (!bytes) throw notFound(`open ${FilePath}: no such file or directory`);
      const offset = Number(Range?.Offset ?? 0n);
      return { Data: bytes.subarray(offset, Range && Range.Length > 0n ? offset + Number(Range.Length) : undefined) };
    },
    readDir: async ({ Ref, DirPath, IncludePattern }, context) => {
      const gateway = await gatewayOf(context);
      const matches = IncludePattern === '' ? () => true : compileGoMatch(IncludePattern);
      return gateway.gateway.withRoot(gateway.edge(Ref), (root) => {
        const directory = resolveTreePath(root, DirPath, true);
        return {
          entries: namesIn(directory)
            .filter((name) => matches(toText(name)))
            .map((name) => statOf(joinBytes(directory, name), toText(name))),
        };
      });
    },
    statFile: async ({ Ref, Path }, context) => {
      const gateway = await gatewayOf(context);
      return gateway.gateway.withRoot(gateway.edge(Ref), (root) => ({
        stat: statOf(resolveTreePath(root, Path, false), Path.replace(/^.*\//, '')),
      }));
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
    newContainer: notYet('running a process for a frontend in the client'),
    releaseContainer: notYet('running a process for a frontend in the client'),
  });
}

function capability(ID: string) {
  return { ID, Enabled: true };
}

function statOf(path: ReturnType<typeof joinBytes>, name: string) {
  const stat = lstatSync(toBytes(path), { bigint: true, throwIfNoEntry: false });
  if (!stat) throw notFound(`stat ${name}: no such file or directory`);
  return {
    path: name,
    mode: goModeOf(fileModeOfStat(Number(stat.mode))),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: stat.size,
    modTime: stat.mtimeNs,
    linkname: stat.isSymbolicLink() ? readlinkSync(toBytes(path)) : '',
  };
}
