import { Control, type PruneRequest, type UsageRecord, UsageRecordSchema } from '../../api/gen/control_pb.js';
import { Health, HealthCheckResponse_ServingStatus } from '../../api/gen/health_pb.js';
import { TraceService } from '../../api/gen/trace_pb.js';
import type { Router } from '../../api/grpc/router.ts';
import { create } from '../../api/message/create.ts';
import { timestampFromMs } from '../../api/message/well-known.ts';
import { acceptSession } from '../../api/session/accept-session.ts';
import type { Engine } from '../engine.ts';
import type { BuildCache, CacheItem } from './build-cache.ts';
import type { Builds } from './builds.ts';
import type { BuildHistory } from './history/build-history.ts';
import { addHistoryContent } from './history/history-content.ts';
import { readLogBlob } from './history/log-blob.ts';
import { requestOf, solveBuild } from './solve-build.ts';
import { statusMessage } from './status-message.ts';
import { buildkitVersion, type WorkerIdentity, workerRecord } from './worker-record.ts';

/** `moby.buildkit.v1.Control` and the small services beside it. */
export function addControlService(
  router: Router,
  engine: Engine,
  builds: Builds,
  cache: BuildCache,
  worker: WorkerIdentity,
  history: BuildHistory,
): void {
  router.add(Control, {
    solve: async (request, context) => {
      const { build, result } = builds.begin({
        ref: request.Ref,
        session: request.Session,
        entitlements: request.Entitlements,
        request: requestOf(request),
      });
      const cancel = () => build.cancel(context.signal.reason);
      context.signal.addEventListener('abort', cancel, { once: true });
      history.begin(request);
      try {
        const response = await solveBuild(build, request, () => result);
        history.end(build, { response });
        return { ExporterResponse: response };
      } catch (error) {
        history.end(build, { error });
        throw error;
      } finally {
        context.signal.removeEventListener('abort', cancel);
        await builds.end(request.Ref);
        build.close();
      }
    },
    async *status({ Ref }, context) {
      const old = builds.has(Ref) ? undefined : await history.logOf(Ref);
      if (old) {
        yield* readLogBlob(old);
        return;
      }
      const build = await builds.find(Ref, context.signal);
      for await (const event of build.progress.watch(context.signal)) yield statusMessage(event);
    },
    session: (messages, context) => acceptSession(engine.sessions, messages, context),
    listWorkers: async () => ({ record: [workerRecord(worker)] }),
    info: async () => ({ buildkitVersion }),
    diskUsage: async () => ({ record: cache.list().map(usageRecord) }),
    prune: (request) => prune(cache, request),
    listenBuildHistory: (request, context) => history.listen(request, context.signal),
    updateBuildHistory: async (request) => {
      await history.update(request);
      return {};
    },
  });
  addHistoryContent(router, engine.content, history);
  router.add(Health, { check: async () => ({ status: HealthCheckResponse_ServingStatus.SERVING }) });
  // Clients push their own spans; a builder that keeps none must still take them.
  router.add(TraceService, { export: async () => ({}) });
}

async function* prune(cache: BuildCache, request: PruneRequest): AsyncGenerator<UsageRecord, void> {
  const items = await cache.prune({
    all: request.all,
    olderThanMs: request.keepDuration > 0n ? Number(request.keepDuration / 1_000_000n) : 0,
    keepBytes: request.maxUsedSpace > 0n ? Number(request.maxUsedSpace) : Number(request.reservedSpace),
    filters: request.filter,
  });
  for (const item of items) yield usageRecord(item);
}

function usageRecord(item: CacheItem): UsageRecord {
  return create(UsageRecordSchema, {
    ID: item.id,
    Mutable: item.mutable,
    InUse: item.inUse,
    Size: BigInt(item.size),
    CreatedAt: timestampFromMs(item.createdAt),
    LastUsedAt: timestampFromMs(item.lastUsedAt),
    UsageCount: BigInt(item.usageCount),
    Description: item.description,
    RecordType: item.type,
    Shared: item.shared,
  });
}
