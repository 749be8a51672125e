import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import { CacheSharingOpt, type ExecOp, type Mount as MountMessage, MountType } from '../api/gen/ops_pb.js';
import { invalidArgument } from '../base/errors.ts';
import type { Mount } from '../kernel/mount.ts';
import type { ContainerMount } from '../runtime/runtime.ts';
import type { ActiveId, Stack } from '../snapshot/snapshots.ts';
import type { OpContext } from '../solver/op.ts';
import { secretOrMissing } from './secret-environment.ts';
import { forwardSshAgent } from './ssh-agent.ts';
import type { WorkerServices } from './worker-services.ts';

const sharings = {
  [CacheSharingOpt.SHARED]: 'shared',
  [CacheSharingOpt.PRIVATE]: 'private',
  [CacheSharingOpt.LOCKED]: 'locked',
} as const;

/**
 * The mounts of one exec op: prepared, handed to the runtime, then either committed (the outputs become layers) or, with
 * everything else, undone when disposed.
 */
export class ExecMounts implements AsyncDisposable {
  rootfs: readonly Mount[] = [];
  readonlyRootfs = false;
  rootStack: Stack = [];
  readonly mounts: ContainerMount[] = [];
  readonly environment: string[] = [];
  readonly secretValues: Uint8Array[] = [];
  readonly #services: WorkerServices;
  readonly #undo = new AsyncDisposableStack();
  /** By output number. */
  readonly #outputs = new Map<
    number,
    { readonly active: ActiveId; readonly stack: Stack } | { readonly stack: Stack }
  >();

  private constructor(services: WorkerServices) {
    this.#services = services;
  }

  static async prepare(
    exec: ExecOp,
    stacks: readonly Stack[],
    services: WorkerServices,
    context: OpContext,
  ): Promise<ExecMounts> {
    const mounts = new ExecMounts(services);
    try {
      const cwd = exec.meta?.cwd ?? '/';
      for (const mount of exec.mounts)
        await mounts.#add({ ...mount, dest: posix.resolve('/', cwd, mount.dest) }, stacks, exec, context);
      return mounts;
    } catch (error) {
      await mounts[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The outputs' stacks in order; after this nothing of the written layers is undone. */
  commit(): Stack[] {
    const stacks: Stack[] = [];
    for (const [index, output] of this.#outputs) {
      stacks[index] =
        'active' in output ? [...output.stack, this.#services.snapshots.commit(output.active)] : output.stack;
    }
    return stacks;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#undo.disposeAsync();
  }

  async #add(mount: MountMessage, stacks: readonly Stack[], exec: ExecOp, context: OpContext): Promise<void> {
    const input = Number(mount.input);
    const stack = input < 0 ? [] : stacks[input];
    if (!stack)
      throw invalidArgument(`cannot mount input ${input} at ${JSON.stringify(mount.dest)}: the step has no such input`);
    if (mount.dest === '/') {
      this.#addRoot(mount, stack);
      return;
    }
    switch (mount.mountType) {
      case MountType.BIND:
        this.#addBind(mount, stack);
        break;
      case MountType.CACHE:
        await this.#addCache(mount, stack, context);
        break;
      case MountType.TMPFS:
        this.#addTmpfs(mount);
        break;
      case MountType.SECRET:
        await this.#addSecret(mount, context);
        break;
      case MountType.SSH:
        await this.#addSsh(mount, exec, context);
        break;
    }
  }

  #addRoot(mount: MountMessage, stack: Stack): void {
    this.rootStack = stack;
    this.readonlyRootfs = mount.readonly;
    this.rootfs = this.#layerMounts(mount, stack);
  }

  #addBind(mount: MountMessage, stack: Stack): void {
    for (const each of this.#layerMounts(mount, stack)) {
      const options = mount.readonly && !each.options.includes('ro') ? [...each.options, 'ro'] : each.options;
      this.#push({ ...each, options }, mount);
    }
  }

  /** A writable layer over the stack where the mount may be written, else the stack itself. */
  #layerMounts(mount: MountMessage, stack: Stack): readonly Mount[] {
    const { snapshots } = this.#services;
    const output = Number(mount.output);
    if (mount.readonly) {
      if (output >= 0) this.#outputs.set(output, { stack });
      const held = snapshots.hold(stack);
      this.#undo.defer(() => held[Symbol.dispose]());
      return snapshots.viewMounts(stack);
    }
    const active = snapshots.prepare(stack);
    this.#undo.defer(() => snapshots.discard(active));
    if (output >= 0) this.#outputs.set(output, { active, stack });
    return snapshots.activeMounts(active);
  }

  async #addCache(mount: MountMessage, stack: Stack, context: OpContext): Promise<void> {
    const { cacheMounts, views } = this.#services;
    using seed = stack.length > 0 ? views.open(stack) : undefined;
    const lease = await cacheMounts.acquire({
      id: mount.cacheOpt?.ID || mount.dest,
      sharing: sharings[mount.cacheOpt?.sharing ?? CacheSharingOpt.SHARED],
      mode: 0o755,
      uid: 0,
      gid: 0,
      seed: seed?.path,
      signal: context.signal,
    });
    this.#undo.defer(() => lease.release());
    this.#push({ type: 'bind', source: lease.path, options: mount.readonly ? ['rbind', 'ro'] : ['rbind'] }, mount);
  }

  #addTmpfs(mount: MountMessage): void {
    const size = mount.TmpfsOpt?.size ?? 0n;
    const options = ['nosuid', 'nodev', 'mode=1777', ...(size > 0n ? [`size=${size}`] : [])];
    this.#push({ type: 'tmpfs', source: 'tmpfs', options }, mount);
  }

  async #addSecret(mount: MountMessage, context: OpContext): Promise<void> {
    const secret = mount.secretOpt;
    if (!secret) return;
    const value = await secretOrMissing(secret.ID, secret.optional, this.#services, context);
    if (!value) return;
    this.secretValues.push(value);
    const directory = this.#temporaryDirectory('secret-');
    const path = join(directory, 'value');
    writeFileSync(path, value, { mode: 0o600, flag: 'wx' });
    chownSync(path, secret.uid, secret.gid);
    chmodSync(path, secret.mode & 0o7777);
    this.#push({ type: 'bind', source: path, options: ['bind', 'ro', 'nosuid', 'nodev', 'noexec'] }, mount);
  }

  async #addSsh(mount: MountMessage, exec: ExecOp, context: OpContext): Promise<void> {
    const ssh = mount.SSHOpt;
    if (!ssh) return;
    const directory = this.#temporaryDirectory('ssh-');
    const agent = await forwardSshAgent(ssh, join(directory, 'agent'), this.#services, context);
    if (!agent) return;
    this.#undo.defer(() => agent.close());
    this.#push({ type: 'bind', source: agent.path, options: ['bind'] }, mount);
    const already = [...(exec.meta?.env ?? []), ...this.environment].some((each) => each.startsWith('SSH_AUTH_SOCK='));
    if (!already && basename(mount.dest).startsWith('ssh_agent.')) this.environment.push(`SSH_AUTH_SOCK=${mount.dest}`);
  }

  #temporaryDirectory(prefix: string): string {
    mkdirSync(this.#services.runDirectory, { recursive: true, mode: 0o700 });
    const directory = mkdtempSync(join(this.#services.runDirectory, prefix));
    this.#undo.defer(() => rmSync(directory, { recursive: true, force: true }));
    return directory;
  }

  #push(mount: Mount, { dest, selector }: MountMessage): void {
    this.mounts.push({ ...mount, target: dest, ...(selector === '' || selector === '/' ? {} : { selector }) });
  }
}
