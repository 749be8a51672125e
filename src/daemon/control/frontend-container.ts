import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Health, HealthCheckResponse_ServingStatus } from '../../api/gen/health_pb.js';
import { DefinitionSchema } from '../../api/gen/ops_pb.js';
import { Router } from '../../api/grpc/router.ts';
import { serveGrpc } from '../../api/grpc/server.ts';
import { toBinary } from '../../api/message/encode.ts';
import { SlipwayError } from '../../base/errors.ts';
import type { FrontendRequest, FrontendResult } from '../../frontend/frontend.ts';
import { type FrontendImage, findFrontendImage } from '../../frontend/frontend-image.ts';
import { marshalDefinition } from '../../graph/definition.ts';
import type { ContainerMount, ContainerSpec, ExitStatus } from '../../runtime/runtime.ts';
import { stackOf } from '../../worker/ref.ts';
import { addBridgeRoutes } from './bridge-routes.ts';
import type { Build } from './build.ts';
import { BuildGateway } from './build-gateway.ts';
import { ClientGateway, type RunFrontend } from './client-gateway.ts';
import { ProcessConnection } from './process-connection.ts';
import type { RequestScope } from './request-scope.ts';
import { workerPlatforms } from './worker-record.ts';

/** How long a frontend may go on after it has answered. Milliseconds. */
const patience = 10_000;
/** Of what it complains about, this much is repeated in an error. Bytes. */
const complaintLimit = 4096;

/**
 * A frontend from an image: a process with the default rights of a step, without the user's files, that asks the builder by gRPC over
 * its standard input and output (moby/buildkit, frontend/gateway).
 */
export async function runFrontendContainer(
  build: Build,
  scope: RequestScope,
  request: FrontendRequest,
  source: string,
  runFrontend: RunFrontend,
): Promise<FrontendResult> {
  const gateway = new BuildGateway(build, scope);
  const image = await findFrontendImage(gateway, request, source);
  await using place = await FrontendPlace.prepare(build, image);
  const done = Promise.withResolvers<FrontendResult>();
  const client = new ClientGateway(build, { done, scope, inputs: request.inputs, runFrontend });
  return build.show(`[frontend] ${source}`, async (progress) => {
    const complaints: Buffer[] = [];
    const connection = new ProcessConnection((chunk) => {
      complaints.push(Buffer.from(chunk));
      progress.context(build.signal, () => build.sessions).log(2, chunk);
    });
    const router = new Router().add(Health, {
      check: async () => ({ status: HealthCheckResponse_ServingStatus.SERVING }),
    });
    addBridgeRoutes(router, async () => client, build.worker);
    serveGrpc(connection.duplex, router);
    const late = new AbortController();
    const process = await build.engine.runtime.start(place.spec(request), connection.io, {
      signal: AbortSignal.any([build.signal, late.signal]),
    });
    let timer: NodeJS.Timeout | undefined;
    const answer = done.promise.finally(() => {
      timer = setTimeout(() => late.abort(), patience);
    });
    answer.catch(() => {
      // Awaited below, once the process has ended.
    });
    const status = await process.exited.finally(async () => {
      connection.close();
      clearTimeout(timer);
      await client.close();
    });
    build.signal.throwIfAborted();
    done.reject(endError(source, status, complaints));
    const result = await answer;
    if (status.code !== 0 && !late.signal.aborted) throw endError(source, status, complaints);
    return result;
  });
}

function endError(source: string, { code, outOfMemory }: ExitStatus, complaints: readonly Buffer[]): Error {
  const why = outOfMemory ? ', killed for using too much memory' : '';
  const said = Buffer.concat(complaints).subarray(-complaintLimit).toString('utf8').trim();
  return new SlipwayError(
    'failed-precondition',
    `the frontend ${JSON.stringify(source)} ended with exit code ${code}${why} and no result${said === '' ? '' : `: ${said}`}`,
  );
}

/** What a frontend's process stands on: a layer of its own that is thrown away, and a file that says what it came from. */
class FrontendPlace implements AsyncDisposable {
  readonly #build: Build;
  readonly #image: FrontendImage;
  readonly #undo: AsyncDisposableStack;
  readonly #rootfs: ContainerSpec['rootfs'];
  readonly #metadata: string;

  private constructor(
    build: Build,
    image: FrontendImage,
    parts: { undo: AsyncDisposableStack; rootfs: ContainerSpec['rootfs']; metadata: string },
  ) {
    this.#build = build;
    this.#image = image;
    this.#undo = parts.undo;
    this.#rootfs = parts.rootfs;
    this.#metadata = parts.metadata;
  }

  static async prepare(build: Build, image: FrontendImage): Promise<FrontendPlace> {
    const { snapshots, worker } = build.engine;
    const ref = image.edge && (await build.solve(image.edge));
    const stack = ref ? await stackOf(ref, build.signal) : [];
    await using undo = new AsyncDisposableStack();
    const active = snapshots.prepare(stack);
    undo.defer(() => snapshots.discard(active));
    const metadata = mkdtempSync(join(worker.runDirectory, 'frontend-'));
    undo.defer(() => rmSync(metadata, { recursive: true, force: true }));
    writeFileSync(join(metadata, 'frontend.bin'), toBinary(DefinitionSchema, marshalDefinition(image.edge)), {
      mode: 0o400,
    });
    const rootfs = snapshots.activeMounts(active);
    return new FrontendPlace(build, image, { undo: undo.move(), rootfs, metadata });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#undo.disposeAsync();
  }

  spec({ options }: FrontendRequest): ContainerSpec {
    const { worker } = this.#build.engine;
    const config = this.#image.config?.config ?? {};
    const offline = /^(1|t|true)$/i.test(config.Labels?.['moby.buildkit.frontend.network.none'] ?? '');
    const metadata: ContainerMount = {
      type: 'bind',
      source: this.#metadata,
      target: '/run/config/buildkit/metadata',
      options: ['bind', 'ro', 'nosuid', 'nodev', 'noexec'],
    };
    return {
      id: worker.newContainerId(),
      rootfs: this.#rootfs,
      args: config.Entrypoint ?? ['/run'],
      env: [...(config.Env ?? []), ...this.#variables(options)],
      cwd: config.WorkingDir || '/',
      user: { uid: 0, gid: 0 },
      hostname: 'buildkitsandbox',
      mounts: [metadata],
      network: worker.networkFor(offline ? 'none' : 'default'),
    };
  }

  #variables(options: FrontendRequest['options']): string[] {
    const { id, labels } = this.#build.worker;
    const workers = [{ ID: id, Labels: labels, Platforms: workerPlatforms() }];
    return [
      ...Array.from(options, ([key, value], index) => `BUILDKIT_FRONTEND_OPT_${index}=${key}=${value}`),
      `BUILDKIT_SESSION_ID=${this.#build.sessions[0] ?? ''}`,
      `BUILDKIT_WORKERS=${JSON.stringify(workers)}`,
      'BUILDKIT_EXPORTEDPRODUCT=buildkit',
    ];
  }
}
