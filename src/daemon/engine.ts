import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SessionAccess } from '../api/session/session-access.ts';
import { SessionManager } from '../api/session/session-manager.ts';
import { SlipwayError } from '../base/errors.ts';
import { KeyedLock } from '../base/keyed-lock.ts';
import { LocalContentStore } from '../content/local-content-store.ts';
import { createLayerArchiver } from '../image/archive-layers.ts';
import { ImageStore } from '../image/image-store.ts';
import { LayerBlobs } from '../image/materialize-layers.ts';
import { Unpacker } from '../image/unpack.ts';
import { LockHeldError, lockFile } from '../kernel/file-lock.ts';
import { createHttpTransport } from '../registry/http-transport.ts';
import { RegistryClient } from '../registry/registry-client.ts';
import { createRegistryHosts, type RegistryHosts, type RegistryHostsOptions } from '../registry/registry-hosts.ts';
import type { RuntimeName } from '../runtime/find-runtime.ts';
import { OciRuntime } from '../runtime/oci-runtime.ts';
import { BulkPool } from '../snapshot/bulk-pool.ts';
import { OverlaySnapshots } from '../snapshot/overlay-snapshots.ts';
import { Solver } from '../solver/solver.ts';
import { CacheMounts } from '../worker/cache-mounts.ts';
import { CopyRecords } from '../worker/copy-records.ts';
import { makeOp } from '../worker/make-op.ts';
import type { Ref } from '../worker/ref.ts';
import { SqliteCacheStore } from '../worker/sqlite-cache-store.ts';
import { Views } from '../worker/views.ts';
import type { WorkerServices } from '../worker/worker-services.ts';
import type { AllowedFrontends } from './allowed-frontends.ts';
import type { Entitlement } from './entitlements.ts';
import { ImageResolver } from './image-resolver.ts';
import { SolverVertices } from './solver-vertices.ts';

export interface EngineOptions {
  /** The store; opened by one daemon at a time. */
  readonly root: string;
  readonly parallelism?: number | undefined;
  readonly runtime?: RuntimeName | undefined;
  readonly registries?: RegistryHostsOptions | undefined;
  /** What clients may be granted. */
  readonly entitlements?: readonly Entitlement[] | undefined;
  readonly frontends?: AllowedFrontends | undefined;
  /** What provenance says of this builder beside what it knows itself. */
  readonly provenanceEnvironment?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The parts put together over one store:
 *
 *     content/      blobs           snapshots/   layers           meta.db   names, records, links
 *     cache-mounts/ of RUN          contexts/    received contexts and stat indexes
 *     containers/   volumes/        run/         sockets, bundles, mounts; emptied at start
 *     lock          who has it open
 */
export class Engine {
  readonly root: string;
  readonly database: DatabaseSync;
  readonly content: LocalContentStore;
  readonly snapshots: OverlaySnapshots;
  readonly bulk: BulkPool;
  readonly runtime: OciRuntime;
  readonly sessions: SessionManager;
  readonly sessionAccess: SessionAccess;
  readonly images: ImageStore;
  readonly archiver: ReturnType<typeof createLayerArchiver>;
  readonly unpacker: Unpacker;
  readonly layerBlobs: LayerBlobs;
  readonly cache: SqliteCacheStore;
  readonly cacheMounts: CacheMounts;
  readonly solver: Solver<Ref>;
  readonly vertices: SolverVertices;
  readonly resolver: ImageResolver;
  readonly worker: WorkerServices;
  readonly #lock: Disposable;
  readonly transport = createHttpTransport();
  readonly registryHosts: RegistryHosts;
  readonly entitlements: ReadonlySet<Entitlement>;
  readonly frontends: AllowedFrontends;
  readonly provenanceEnvironment: Readonly<Record<string, unknown>>;

  private constructor(options: EngineOptions, lock: Disposable, runtime: OciRuntime) {
    const { root } = options;
    this.root = root;
    this.#lock = lock;
    this.registryHosts = createRegistryHosts(options.registries ?? {});
    this.frontends = options.frontends ?? {};
    this.provenanceEnvironment = options.provenanceEnvironment ?? {};
    this.entitlements = new Set(options.entitlements ?? ['network.host']);
    this.runtime = runtime;
    this.database = openDatabase(join(root, 'meta.db'));
    this.content = new LocalContentStore(join(root, 'content'));
    this.snapshots = new OverlaySnapshots(join(root, 'snapshots'), this.database);
    this.bulk = new BulkPool(Math.max(2, availableParallelism()));
    this.sessions = new SessionManager();
    this.sessionAccess = new SessionAccess(this.sessions);
    this.images = new ImageStore({ database: this.database, content: this.content });
    this.archiver = createLayerArchiver(this.bulk);
    const parts = {
      database: this.database,
      content: this.content,
      snapshots: this.snapshots,
      archiver: this.archiver,
    };
    this.layerBlobs = new LayerBlobs(parts);
    this.unpacker = new Unpacker({ ...parts, layerBlobs: this.layerBlobs });
    this.cache = new SqliteCacheStore(this.database, this.snapshots);
    this.cacheMounts = new CacheMounts(this.database, join(root, 'cache-mounts'));
    this.resolver = new ImageResolver(this);
    const views = new Views(this.snapshots, join(root, 'run/views'));
    this.worker = {
      snapshots: this.snapshots,
      content: this.content,
      runtime: this.runtime,
      views,
      bulk: this.bulk,
      cacheMounts: this.cacheMounts,
      sessions: this.sessionAccess,
      images: this.resolver,
      runDirectory: join(root, 'run/steps'),
      contextsDirectory: join(root, 'contexts'),
      copyRecords: new CopyRecords(join(root, 'contexts/copied'), this.snapshots),
      listingsDirectory: join(root, 'history/listings'),
      contextLocks: new KeyedLock(),
      networkFor: (mode) => (mode === 'none' ? 'none' : 'host'),
      newContainerId: () => randomBytes(16).toString('hex'),
    };
    this.vertices = new SolverVertices();
    this.solver = new Solver({
      makeOp: (vertex) => makeOp(this.vertices.graphVertexOf(vertex), this.worker),
      cache: this.cache,
      parallelism: options.parallelism ?? Math.max(8, availableParallelism() * 4),
    });
    mkdirSync(this.worker.runDirectory, { recursive: true, mode: 0o700 });
    mkdirSync(this.worker.contextsDirectory, { recursive: true, mode: 0o700 });
    mkdirSync(join(root, 'history/listings'), { recursive: true, mode: 0o700 });
  }

  /** Throws already-exists when another daemon has the store open, failed-precondition without a runtime. */
  static async open(options: EngineOptions): Promise<Engine> {
    mkdirSync(options.root, { recursive: true, mode: 0o710 });
    const lock = lockStore(options.root);
    try {
      const runDirectory = join(options.root, 'run');
      mkdirSync(runDirectory, { recursive: true, mode: 0o700 });
      const runtime = await OciRuntime.open({ runDirectory, only: options.runtime });
      for (const each of ['views', 'steps']) rmSync(join(runDirectory, each), { recursive: true, force: true });
      return new Engine(options, lock, runtime);
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** A registry client with the logins that these sessions' clients have. */
  registryFor(sessions: readonly string[]): RegistryClient {
    return new RegistryClient({
      hosts: this.registryHosts,
      transport: this.transport,
      credentials: (host) => this.sessionAccess.credentials(sessions, host),
    });
  }

  async close(): Promise<void> {
    this.sessions.close();
    await this.runtime.close();
    await this.bulk.close();
    this.snapshots.close();
    this.database.close();
    this.#lock[Symbol.dispose]();
  }
}

function lockStore(root: string): Disposable {
  try {
    return lockFile(join(root, 'lock'));
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error;
    throw new SlipwayError(
      'already-exists',
      `cannot open the store ${JSON.stringify(root)}: it is open in process ${error.holder || '(unknown)'}`,
      {
        hint: 'stop that daemon, or give this one another --root',
        cause: error,
      },
    );
  }
}

/** WAL, and every transaction on disk before it counts. */
function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;');
  return database;
}
