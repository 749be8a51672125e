import { createServer, type Server as HttpServer } from 'node:http';
import type { Server, Socket } from 'node:net';
import { Router } from '../api/grpc/router.ts';
import { serveGrpc } from '../api/grpc/server.ts';
import { acceptUpgrade, sniffProtocol } from '../api/grpc/sniff-protocol.ts';
import { readGreeting } from '../api/session/session-headers.ts';
import type { Logger } from '../base/log.ts';
import { createEngineApi, type EngineApi } from '../engine-api/engine-api.ts';
import { Collector } from './collector.ts';
import { addBridgeService } from './control/bridge-service.ts';
import { BuildCache } from './control/build-cache.ts';
import { Builds } from './control/builds.ts';
import { addControlService } from './control/control-service.ts';
import { BuildHistory } from './control/history/build-history.ts';
import type { Engine } from './engine.ts';
import { composeEngineServices, openContainers } from './engine-services.ts';
import { GarbageCollection, type GcOptions } from './garbage-collection.ts';
import { listen } from './listen.ts';

export interface DaemonOptions {
  readonly addresses: readonly string[];
  readonly log: Logger;
  /** Ends the daemon after this long without connection, build or container. Milliseconds; absent: never. */
  readonly idleExit?: number | undefined;
  /** Of the worker, as clients list it. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly gc?: GcOptions | undefined;
}

/** One engine behind its sockets: gRPC and the Engine API side by side. */
export class Daemon {
  readonly #engine: Engine;
  readonly #options: DaemonOptions;
  readonly #builds: Builds;
  readonly #router = new Router();
  readonly #http: HttpServer;
  readonly #api: EngineApi;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #history: BuildHistory;
  readonly #gc: GarbageCollection;
  readonly #stopped = Promise.withResolvers<void>();
  #idleTimer: NodeJS.Timeout | undefined;

  private constructor(engine: Engine, options: DaemonOptions) {
    this.#engine = engine;
    this.#options = options;
    const worker = { id: 'slipway', labels: options.labels ?? {} };
    this.#builds = new Builds(engine, worker);
    const containers = openContainers(engine);
    this.#history = new BuildHistory(engine, options.log);
    const collector = new Collector(engine, {
      stacks: () => containers.stacks(),
      blobs: () => this.#history.blobs(),
    });
    const cache = new BuildCache(engine, collector);
    addControlService(this.#router, engine, this.#builds, cache, worker, this.#history);
    addBridgeService(this.#router, this.#builds, worker);
    this.#gc = new GarbageCollection(cache, options.log, options.gc);
    this.#api = createEngineApi(composeEngineServices(engine, containers, collector, cache));
    this.#http = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, this.#api.handle);
    this.#http.on('upgrade', (request, socket, head) => {
      if (request.url?.match(/^(\/v[\d.]+)?\/grpc$/)) {
        acceptUpgrade(socket as Socket, head);
        serveGrpc(socket, this.#router);
      } else if (request.url?.match(/^(\/v[\d.]+)?\/session$/)) {
        acceptUpgrade(socket as Socket, head);
        const values = (name: string) => [request.headers[name.toLowerCase()] ?? []].flat();
        engine.sessions.serve(socket, readGreeting(values)).catch(() => socket.destroy());
      } else this.#api.upgrade(request, socket as Socket, head);
    });
  }

  static async start(engine: Engine, options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(engine, options);
    for (const address of options.addresses) {
      daemon.#servers.push(await listen({ address, onConnection: (socket) => daemon.#accept(socket) }));
    }
    daemon.#watchIdle();
    daemon.#gc.start(() => daemon.#builds.active > 0);
    return daemon;
  }

  /** Resolves when the daemon was told to stop or had nothing to do for long enough. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  stop(): void {
    this.#stopped.resolve();
  }

  async close(): Promise<void> {
    clearInterval(this.#idleTimer);
    this.#gc.stop();
    this.#builds.cancelAll();
    await this.#api.close();
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.#history.settled();
    await this.#engine.close();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    sniffProtocol(socket, {
      http2: (connection) => {
        serveGrpc(connection, this.#router, { peer: socket });
      },
      http1: (connection) => this.#http.emit('connection', connection),
    });
  }

  #watchIdle(): void {
    const { idleExit } = this.#options;
    if (idleExit === undefined) return;
    let idleSince = Date.now();
    this.#idleTimer = setInterval(
      () => {
        if (this.#sockets.size > 0 || this.#builds.active > 0 || this.#api.busy()) idleSince = Date.now();
        else if (Date.now() - idleSince >= idleExit) this.stop();
      },
      Math.min(1000, idleExit),
    );
    this.#idleTimer.unref();
  }
}
