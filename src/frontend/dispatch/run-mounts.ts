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
  /** Where the first ssh agent is. */
  sshSocket?: string;
  readonly secretEnvironment: { ID: string; name: string; optional: boolean }[];
}

const sharings = { shared: CacheSharingOpt.SHARED, private: CacheSharingOpt.PRIVATE, locked: CacheSharingOpt.LOCKED };

export function runMounts(stage: StageState, instruction: RunInstruction, sources: MountSource): RunMounts {
  const result: RunMounts = { mounts: [], secretEnvironment: [] };
  let agents = 0;
  for (const text of instruction.mounts) {
    const mount = parseRunMount(text, (value) => expand(stage, value));
    if (mount.type === 'secret') addSecret(stage, mount, instruction, result);
    else if (mount.type === 'ssh') {
      const agent = sshMount(stage, mount, instruction, agents++);
      result.sshSocket ??= agent.dest;
      result.mounts.push(agent);
    } else result.mounts.push(fileMount(stage, mount, sources));
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

function fileMount(stage: StageState, mount: RunMount, sources: MountSource): ExecMount {
  const dest = targetOf(stage, mount);
  const source = posix.join('/', mount.source ?? '');
  const selector = source === '/' ? {} : { selector: source };
  switch (mount.type) {
    case 'tmpfs':
      return { dest, mountType: MountType.TMPFS, TmpfsOpt: { size: BigInt(mount.size ?? 0) } };
    case 'cache':
      return {
        dest,
        ...selector,
        ...cacheSeed(mount, sources),
        readonly: mount.readonly ?? false,
        mountType: MountType.CACHE,
        cacheOpt: {
          ID: `${stage.options.cacheMountNamespace}/${mount.id || posix.normalize(mount.target ?? '')}`,
          sharing: sharings[mount.sharing ?? 'shared'],
        },
      };
    default:
      return {
        dest,
        from: sources(mount.from || undefined, [source]),
        ...selector,
        readonly: mount.readonly ?? true,
        mountType: MountType.BIND,
      };
  }
}

/** As Go's client names it: what is absolute stays as it was written. */
function targetOf(stage: StageState, { target = '' }: RunMount): string {
  const absolute = target.startsWith('/') ? target : posix.join('/', stage.image.config.WorkingDir ?? '', target);
  if (posix.normalize(absolute) === '/')
    throw invalidArgument(`invalid mount target ${JSON.stringify(target)}: it is the root of the container`);
  return absolute;
}

/** What a new cache mount starts with; an owner or mode of its own needs a directory that has them. */
function cacheSeed(mount: RunMount, sources: MountSource): Pick<ExecMount, 'from' | 'selector'> {
  const source = posix.join('/', mount.source ?? '');
  const from = mount.from ? sources(mount.from, [source]) : undefined;
  if (source !== '/' || (mount.mode === undefined && mount.uid === undefined && mount.gid === undefined))
    return { from };
  const owner = {
    user: { user: { case: 'byID' as const, value: mount.uid ?? 0 } },
    group: { user: { case: 'byID' as const, value: mount.gid ?? 0 } },
  };
  const directory = { path: '/cache', mode: mount.mode ?? 0o755, makeParents: false, owner, timestamp: -1n };
  const seed = fileOp(from, [{ action: { case: 'mkdir', value: directory } }], {
    name: '[internal] setting cache mount permissions',
  });
  return { from: seed, selector: '/cache' };
}

function addSecret(stage: StageState, mount: RunMount, instruction: RunInstruction, result: RunMounts): void {
  const id = mount.source || mount.id || posix.basename(mount.target ?? '');
  const name = posix.basename(id);
  if (name === '' || name === '.' || name === '..')
    throw invalidArgument(`invalid secret id ${JSON.stringify(id)}: it names no file`, { hint: 'write id=NAME' });
  const required = mount.required === true;
  stage.outline.addSecret(id, { required, range: instruction.range });
  if (mount.env !== undefined) result.secretEnvironment.push({ ID: id, name: mount.env, optional: !required });
  if (mount.env !== undefined && mount.target === undefined) return;
  result.mounts.push({
    dest: mount.target ?? `/run/secrets/${name}`,
    mountType: MountType.SECRET,
    secretOpt: {
      ID: id,
      uid: mount.uid ?? 0,
      gid: mount.gid ?? 0,
      mode: mount.mode ?? 0o400,
      optional: !required,
    },
  });
}

/** Without an id the worker takes the default agent. */
function sshMount(stage: StageState, mount: RunMount, instruction: RunInstruction, index: number): ExecMount {
  if (mount.source !== undefined) throw invalidArgument('ssh does not support source');
  const required = mount.required === true;
  stage.outline.addSsh(mount.id || 'default', { required, range: instruction.range });
  return {
    dest: mount.target ?? `/run/buildkit/ssh_agent.${index}`,
    mountType: MountType.SSH,
    SSHOpt: {
      ID: mount.id ?? '',
      uid: mount.uid ?? 0,
      gid: mount.gid ?? 0,
      mode: mount.mode ?? 0o600,
      optional: !required,
    },
  };
}
