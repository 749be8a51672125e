import { posix } from 'node:path';
import { CacheSharingOpt } from '../../api/gen/ops_pb.js';
import { invalidArgument } from '../../base/errors.ts';
import type { RunInstruction, RunMount } from '../../dockerfile/instruction.ts';
import { parseRunMount } from '../../dockerfile/run-mount.ts';
import { type ExecMount, fileOp, MountType } from '../../graph/ops.ts';
import type { Edge } from '../../graph/vertex.ts';
import { expand, type StageState } from '../stage-state.ts';

/** Finds what a mount or COPY takes files from: a stage, a named context, an image; without a name the build context. */
export type MountSource = (from: string | undefined, paths: readonly string[]) => Edge | undefined;

interface RunMounts {
  readonly mounts: ExecMount[];
  readonly secretEnvironment: { ID: string; name: string; optional: boolean }[];
}

const sharings = { shared: CacheSharingOpt.SHARED, private: CacheSharingOpt.PRIVATE, locked: CacheSharingOpt.LOCKED };

export function runMounts(stage: StageState, instruction: RunInstruction, sources: MountSource): RunMounts {
  const result: RunMounts = { mounts: [], secretEnvironment: [] };
  let sshCount = 0;
  for (const text of instruction.mounts) {
    const mount = expandMount(stage, text);
    if (mount.type === 'secret') addSecret(stage, mount, result);
    else if (mount.type === 'ssh') result.mounts.push(sshMount(stage, mount, sshCount++));
    else result.mounts.push(fileMount(stage, mount, sources));
  }
  if (stage.options.shmSize !== undefined && stage.options.shmSize > 0) {
    result.mounts.push({
      dest: '/dev/shm',
      mountType: MountType.TMPFS,
      TmpfsOpt: { size: BigInt(stage.options.shmSize) },
    });
  }
  return result;
}

/** Every value may hold variables but `from`, which decides what the build graph is. */
function expandMount(stage: StageState, text: string): RunMount {
  const from = /(?:^|,)from=([^,]*)/.exec(text)?.[1];
  if (from?.includes('$')) {
    throw invalidArgument(
      `'from' doesn't support variable expansion, define alias stage instead: ${JSON.stringify(from)}`,
      {
        hint: 'write FROM with the variable and AS name, and from=name here',
      },
    );
  }
  return parseRunMount(text, (value) => expand(stage, value));
}

/** Go's client names the target of a mount absolute and clean. */
function targetOf(stage: StageState, target: string): string {
  const absolute = posix.resolve('/', stage.image.config.WorkingDir || '/', target);
  if (absolute === '/')
    throw invalidArgument(`invalid mount target ${JSON.stringify(target)}: it is the root of the container`);
  return absolute;
}

function fileMount(stage: StageState, mount: RunMount, sources: MountSource): ExecMount {
  const dest = targetOf(stage, mount.target ?? '');
  const selector = mount.source === undefined ? undefined : posix.resolve('/', mount.source);
  if (mount.type === 'tmpfs') {
    return {
      dest,
      mountType: MountType.TMPFS,
      ...(mount.size === undefined ? {} : { TmpfsOpt: { size: BigInt(mount.size) } }),
    };
  }
  if (mount.type === 'cache') {
    const id = `${stage.options.cacheMountNamespace === '' ? '' : `${stage.options.cacheMountNamespace}/`}${mount.id ?? posix.normalize(mount.target ?? '')}`;
    return {
      dest,
      from: cacheSeed(mount, sources),
      ...(selector === undefined ? {} : { selector }),
      readonly: mount.readonly ?? false,
      mountType: MountType.CACHE,
      cacheOpt: { ID: id, sharing: sharings[mount.sharing ?? 'shared'] },
    };
  }
  return {
    dest,
    from: sources(mount.from, [mount.source ?? '/']),
    ...(selector === undefined || selector === '/' ? {} : { selector }),
    readonly: mount.readonly ?? true,
    mountType: MountType.BIND,
  };
}

/** What a new cache mount starts with; an owner or mode of its own needs a directory that has them. */
function cacheSeed(mount: RunMount, sources: MountSource): Edge | undefined {
  if (mount.from !== undefined) return sources(mount.from, [mount.source ?? '/']);
  if (mount.mode === undefined && mount.uid === undefined && mount.gid === undefined) return undefined;
  const owner = {
    user: { user: { case: 'byID' as const, value: mount.uid ?? 0 } },
    group: { user: { case: 'byID' as const, value: mount.gid ?? 0 } },
  };
  return fileOp(
    undefined,
    [
      {
        action: {
          case: 'mkdir',
          value: { path: '/cache', mode: mount.mode ?? 0o755, makeParents: false, owner, timestamp: -1n },
        },
      },
    ],
    { name: '[internal] settings cache mount permissions' },
  );
}

function addSecret(stage: StageState, mount: RunMount, result: RunMounts): void {
  const id = mount.id ?? mount.source ?? posix.basename(mount.target ?? '');
  if (id === '' || id.includes('..') || id.includes('/'))
    throw invalidArgument(`invalid secret id ${JSON.stringify(id)}`, { hint: 'want a name without slashes' });
  const optional = mount.required !== true;
  if (mount.env !== undefined) result.secretEnvironment.push({ ID: id, name: mount.env, optional });
  if (mount.env !== undefined && mount.target === undefined) return;
  result.mounts.push({
    dest: targetOf(stage, mount.target ?? `/run/secrets/${posix.basename(id)}`),
    mountType: MountType.SECRET,
    readonly: true,
    secretOpt: { ID: id, uid: mount.uid ?? 0, gid: mount.gid ?? 0, mode: mount.mode ?? 0o400, optional },
  });
}

function sshMount(stage: StageState, mount: RunMount, count: number): ExecMount {
  return {
    dest: targetOf(stage, mount.target ?? `/run/buildkit/ssh_agent.${count}`),
    mountType: MountType.SSH,
    SSHOpt: {
      ID: mount.id ?? 'default',
      uid: mount.uid ?? 0,
      gid: mount.gid ?? 0,
      mode: mount.mode ?? 0o600,
      optional: mount.required !== true,
    },
  };
}
