import { hostname } from 'node:os';
import { basename } from 'node:path';
import { Control } from '../api/gen/control_pb.js';
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from '../api/gen/health_pb.js';
import type { GrpcChannel } from '../api/grpc/channel.ts';
import { Router } from '../api/grpc/router.ts';
import { serveGrpc } from '../api/grpc/server.ts';
import { Tunnel } from '../api/grpc/tunnel.ts';
import { greetingHeaders } from '../api/session/session-headers.ts';
import { createSha256 } from '../base/digest.ts';
import { randomId } from '../base/random-id.ts';
import type { CredentialSource } from '../registry/credentials.ts';
import { type ServedLayout, serveContent } from './serve-content.ts';
import { serveCredentials } from './serve-credentials.ts';
import { serveDirectories } from './serve-directories.ts';
import { type ExportTarget, serveExports } from './serve-exports.ts';
import { type SecretSource, serveSecrets } from './serve-secrets.ts';
import { serveSshAgents } from './serve-ssh.ts';
import { serveUploads } from './serve-uploads.ts';

/** What the daemon may have from this machine during a build. Nothing is served that is not named here. */
export interface SessionServices {
  /** Local directories by name, such as `context` and `dockerfile`; absolute paths. */
  readonly directories?: ReadonlyMap<string, string> | undefined;
  /** Tells the daemon where the directories lie, so that one on this machine can read them in place. */
  readonly sameMachine?: boolean | undefined;
  /** By the exporters' order in the request. */
  readonly exports?: readonly (ExportTarget | undefined)[] | undefined;
  readonly secrets?: ReadonlyMap<string, SecretSource> | undefined;
  /** Paths of agents' sockets, by id. */
  readonly sshAgents?: ReadonlyMap<string, string> | undefined;
  readonly uploads?: ReadonlyMap<string, AsyncIterable<Uint8Array>> | undefined;
  readonly layouts?: ReadonlyMap<string, ServedLayout> | undefined;
  /** docker's config unless given. */
  readonly credentials?: CredentialSource | undefined;
}

/** What this client serves to the daemon, as one router. */
export function createSessionRouter(services: SessionServices): Router {
  const router = new Router().add(Health, { check: () => ({ status: ServingStatus.SERVING }) });
  serveCredentials(router, services.credentials);
  if (services.directories) serveDirectories(router, services.directories);
  if (services.exports) serveExports(router, services.exports);
  if (services.secrets) serveSecrets(router, services.secrets);
  if (services.sshAgents) serveSshAgents(router, services.sshAgents);
  if (services.uploads) serveUploads(router, services.uploads);
  const layouts = servedLayouts(services);
  if (layouts.size > 0) serveContent(router, layouts);
  return router;
}

/** The store of a layout that is written has one name for all exporters (BuildKit's client, client/solve.go). */
function servedLayouts({ layouts, exports }: SessionServices): ReadonlyMap<string, ServedLayout> {
  const written = exports?.find((target) => target?.kind === 'layout');
  return new Map([
    ...(layouts ?? []),
    ...(written ? [['export', { directory: written.path, writable: true }] as const] : []),
  ]);
}

/** A session that is open. */
export interface OpenSession {
  readonly id: string;
  /** Resolves when it has ended, whoever ended it. */
  readonly closed: Promise<void>;
  close(): void;
}

/** Opens a session on the daemon's connection and serves in it until it is closed. */
export function openSession(channel: GrpcChannel, services: SessionServices): OpenSession {
  const router = createSessionRouter(services);
  const id = randomId();
  const directories = services.directories ?? new Map<string, string>();
  const metadata = greetingHeaders({
    id,
    name: basename(directories.get('context') ?? ''),
    sharedKey: sharedKeyOf(directories.get('context'), services.sameMachine === true),
    methods: router.paths(),
    localDirectories: services.sameMachine === true ? directories : new Map(),
  });
  const tunnel = Tunnel.open((outgoing) => channel.client(Control).session(outgoing, { metadata }));
  tunnel.on('error', () => {});
  const closed = new Promise<void>((resolve) => tunnel.once('close', () => resolve()));
  const served = serveGrpc(tunnel, router);
  return {
    id,
    closed,
    close: () => {
      served.destroy();
      tunnel.destroy();
    },
  };
}

/** The same directory of the same machine has the same key, so that a daemon can keep what it received of it. */
function sharedKeyOf(directory: string | undefined, isSameMachine: boolean): string {
  if (directory === undefined) return '';
  // That daemon is told the directory in any case.
  if (isSameMachine) return `${hostname()} ${directory}`;
  return createSha256().update(`${hostname()}\0${directory}`).digest('hex');
}
