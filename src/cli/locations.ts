import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the daemon is and keeps its things. */
export interface Locations {
  readonly root: string;
  /** Somebody said so, by a flag or in the environment. */
  readonly rootIsGiven: boolean;
  /** `unix://…` or `tcp://…`. */
  readonly host: string;
  /** The host is the daemon of this root, which may be started when nothing listens. */
  readonly isOwn: boolean;
}

/** Flags first, then SLIPWAY_ROOT and SLIPWAY_HOST, then DOCKER_HOST, then the places of the system or the user. */
export function findLocations(
  given: { readonly root?: string | undefined; readonly host?: string | undefined },
  environment: NodeJS.ProcessEnv = process.env,
): Locations {
  const isRoot = process.getuid?.() === 0;
  const rootIsGiven = given.root !== undefined || !!environment.SLIPWAY_ROOT;
  const root = given.root ?? (environment.SLIPWAY_ROOT || defaultRoot(isRoot, environment));
  const ownHost = `unix://${rootIsGiven ? join(root, 'run/slipway.sock') : defaultSocket(isRoot, environment)}`;
  const host = given.host ?? (environment.SLIPWAY_HOST || (rootIsGiven ? undefined : environment.DOCKER_HOST)) ?? '';
  return { root, rootIsGiven, host: host === '' ? ownHost : host, isOwn: host === '' || host === ownHost };
}

function defaultRoot(isRoot: boolean, environment: NodeJS.ProcessEnv): string {
  return isRoot ? '/var/lib/slipway' : join(environment.XDG_DATA_HOME || join(homedir(), '.local/share'), 'slipway');
}

function defaultSocket(isRoot: boolean, environment: NodeJS.ProcessEnv): string {
  return isRoot
    ? '/run/slipway/slipway.sock'
    : join(environment.XDG_RUNTIME_DIR || join(homedir(), '.local/run'), 'slipway/slipway.sock');
}
