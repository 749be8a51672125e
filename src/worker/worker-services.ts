import type { Duplex } from 'node:stream';
import type { KeyedLock } from '../base/keyed-lock.ts';
import type { ContentStore } from '../content/content-store.ts';
import type { Platform } from '../oci/platform.ts';
import type { ContainerSpec, Runtime } from '../runtime/runtime.ts';
import type { BulkPool } from '../snapshot/bulk-pool.ts';
import type { Snapshots, Stack } from '../snapshot/snapshots.ts';
import type { OpContext } from '../solver/op.ts';
import type { CacheMounts } from './cache-mounts.ts';
import type { CopyRecords } from './copy-records.ts';
import type { Views } from './views.ts';

/** What the clients of the waiting builds serve back; the first session that answers wins. */
export interface SessionAccess {
  /** Throws not-found when no session has it. */
  secret(sessions: readonly string[], id: string, signal: AbortSignal): Promise<Uint8Array>;
  /** Opens a connection to the client's ssh agent. Throws not-found when no session offers the id. */
  sshAgent(sessions: readonly string[], id: string, signal: AbortSignal): Promise<Duplex>;
  /** Throws not-found when no session offers the id. */
  checkSshAgent(sessions: readonly string[], id: string, signal: AbortSignal): Promise<void>;
  /** The bytes that a client offers under a path, such as a context from its standard input. */
  upload(sessions: readonly string[], path: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Where the client's directory lies on this machine, when the client told so and may read it. */
  localDirectory(sessions: readonly string[], name: string): string | undefined;
  /** What tells clients apart across sessions. */
  sharedKey(sessions: readonly string[]): string | undefined;
  /** Receives the client's directory into `destination`, which may hold an earlier state of it. */
  receiveDirectory(
    sessions: readonly string[],
    name: string,
    options: DirectorySelection,
    destination: string,
    context: OpContext,
  ): Promise<void>;
}

/** Which files of a client's directory are meant; patterns as in `.dockerignore`. */
export interface DirectorySelection {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly followPaths: readonly string[];
}

/** An image that was resolved for a platform; holds its documents, and later its layers, until disposed. */
export interface ResolvedSource extends Disposable {
  readonly manifestDigest: string;
  /** Pulls what is missing and unpacks it; done once for concurrent callers. */
  unpack(context: Pick<OpContext, 'signal' | 'status'>): Promise<Stack>;
}

interface ResolveOptions {
  readonly platform: Platform;
  /** Whose logins count. */
  readonly sessions: readonly string[];
  readonly signal: AbortSignal;
}

/** What the worker asks of the part that knows images and registries. */
export interface ImageSource {
  resolve(
    reference: string,
    options: ResolveOptions & { readonly mode: 'default' | 'pull' | 'local' },
  ): Promise<ResolvedSource>;
  /** Likewise for an image in a layout that a client serves (`oci-layout://`). */
  resolveLayout(reference: string, options: ResolveOptions & { readonly store: string }): Promise<ResolvedSource>;
}

/** All that ops work with; composed by the daemon. */
export interface WorkerServices {
  readonly snapshots: Snapshots;
  readonly content: ContentStore;
  readonly runtime: Runtime;
  readonly views: Views;
  readonly bulk: BulkPool;
  readonly cacheMounts: CacheMounts;
  readonly sessions: SessionAccess;
  readonly images: ImageSource;
  /** Where short-lived files of running steps lie: secrets, sockets. Emptied when the daemon starts. */
  readonly runDirectory: string;
  /** Where contexts that came over the wire and stat indexes are kept between builds. */
  readonly contextsDirectory: string;
  readonly copyRecords: CopyRecords;
  /** Where each content key leaves the list of its files, for those who explain builds. */
  readonly listingsDirectory?: string | undefined;
  /** One receiver at a time for each directory there. */
  readonly contextLocks: KeyedLock;
  networkFor(mode: 'default' | 'host' | 'none'): ContainerSpec['network'];
  newContainerId(): string;
}
