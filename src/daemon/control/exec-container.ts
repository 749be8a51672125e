import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { InitMessage, NewContainerRequest } from '../../api/gen/gateway_pb.js';
import { ExecOpSchema, NetMode, SecurityMode } from '../../api/gen/ops_pb.js';
import { create } from '../../api/message/create.ts';
import { invalidArgument, notFound, SlipwayError } from '../../base/errors.ts';
import type { Edge } from '../../graph/vertex.ts';
import type { Mount } from '../../kernel/mount.ts';
import { mountAll, unmount } from '../../kernel/mounting.ts';
import type { ContainerMount, ContainerSpec, ProcessIo, RunningProcess } from '../../runtime/runtime.ts';
import type { OpContext } from '../../solver/op.ts';
import { ExecMounts } from '../../worker/exec-mounts.ts';
import { userOf } from '../../worker/exec-user.ts';
import { stackOf } from '../../worker/ref.ts';
import { secretEnvironment } from '../../worker/secret-environment.ts';
import type { Build } from './build.ts';

/**
 * A container that a frontend asked for: mounts that stay while it lives, and processes on them. Each process has a process
 * namespace of its own; when the first one ends, so do the others, and no more can be started.
 */
export class ExecContainer implements AsyncDisposable {
  readonly #build: Build;
  readonly #request: NewContainerRequest;
  readonly #context: OpContext;
  readonly #undo = new AsyncDisposableStack();
  readonly #aborter = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #roots: string[] = [];
  #mounts: ExecMounts | undefined;
  #rootfs: readonly Mount[] = [];
  #others: readonly ContainerMount[] = [];
  #hasFirst = false;

  private constructor(build: Build, request: NewContainerRequest) {
    this.#build = build;
    this.#request = request;
    const ignore = () => {};
    this.#context = {
      signal: AbortSignal.any([build.signal, this.#aborter.signal]),
      sessions: () => build.sessions,
      log: ignore,
      status: ignore,
      settled: ignore,
      warn: ignore,
    };
  }

  /** `edgeOf` knows the states that the frontend was given. */
  static async open(
    build: Build,
    request: NewContainerRequest,
    edgeOf: (id: string) => Edge | undefined,
  ): Promise<ExecContainer> {
    build.checkExec(request.Network, SecurityMode.SANDBOX);
    const container = new ExecContainer(build, request);
    try {
      await container.#prepare(edgeOf);
      return container;
    } catch (error) {
      await container[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #prepare(edgeOf: (id: string) => Edge | undefined): Promise<void> {
    const { Mounts: wanted } = this.#request;
    if (!wanted.some(({ dest }) => dest === '/')) throw invalidArgument('a container needs a mount at "/"');
    const edges = wanted.map(({ resultID }) => (resultID === '' ? undefined : edgeOf(resultID)));
    const stacks = await Promise.all(
      edges.map(async (edge) => (edge ? stackOf(await this.#build.solve(edge), this.#context.signal) : [])),
    );
    const exec = create(ExecOpSchema, {
      mounts: wanted.map((mount, index) => ({ ...mount, input: BigInt(index), output: -1n })),
    });
    const mounts = await ExecMounts.prepare(exec, stacks, this.#build.engine.worker, this.#context);
    this.#undo.use(mounts);
    this.#mounts = mounts;
    const root = this.#place(mounts.rootfs);
    this.#rootfs = [{ type: 'bind', source: root, options: mounts.readonlyRootfs ? ['rbind', 'ro'] : ['rbind'] }];
    this.#others = mounts.mounts.map((mount) => this.#shared(mount));
  }

  /** An overlay is mounted once, and its processes bind that: two mounts over one writable layer would not see each other. */
  #shared({ target, selector, ...mount }: ContainerMount): ContainerMount {
    if (mount.type !== 'overlay') return { ...mount, target, ...(selector === undefined ? {} : { selector }) };
    const options = mount.options.includes('ro') ? ['rbind', 'ro'] : ['rbind'];
    const source = this.#place([mount]);
    return { type: 'bind', source, options, target, ...(selector === undefined ? {} : { selector }) };
  }

  #place(mounts: readonly Mount[]): string {
    const { runDirectory } = this.#build.engine.worker;
    mkdirSync(runDirectory, { recursive: true, mode: 0o700 });
    const path = mkdtempSync(join(runDirectory, 'frontend-'));
    this.#undo.defer(() => rmdirSync(path));
    mountAll(mounts, path);
    this.#undo.defer(() => unmount(path));
    this.#roots.push(path);
    return path;
  }

  /** Where the files of one of the asked mounts are, for reading; only of the root so far. */
  rootOf(mountIndex: number): string {
    const [root] = this.#roots;
    if (root === undefined || this.#request.Mounts[mountIndex]?.dest !== '/')
      throw notFound(`there are no files to read at mount ${mountIndex} of container "${this.#request.ContainerID}"`);
    return root;
  }

  /** Throws permission-denied for rights that the build was not granted. */
  async start(init: InitMessage, io: ProcessIo): Promise<RunningProcess> {
    this.#build.checkExec(this.#request.Network, init.Security);
    if (this.#aborter.signal.aborted)
      throw new SlipwayError('failed-precondition', `container "${this.#request.ContainerID}" has stopped`);
    const isFirst = !this.#hasFirst;
    this.#hasFirst = true;
    const spec = await this.#spec(init);
    const process = await this.#build.engine.runtime.start(spec, io, { signal: this.#context.signal });
    const ended = process.exited.then(
      () => {},
      () => {},
    );
    this.#running.add(ended);
    ended.then(() => {
      this.#running.delete(ended);
      if (isFirst) this.#aborter.abort();
    });
    return process;
  }

  async #spec(init: InitMessage): Promise<ContainerSpec> {
    const { worker } = this.#build.engine;
    const { Meta: meta, Security: security, secretenv, Tty: isTerminal } = init;
    const mounts = this.#mounts;
    if (!meta || meta.args.length === 0 || !mounts) throw invalidArgument('cannot run a process without arguments');
    const secrets = await secretEnvironment(create(ExecOpSchema, { secretenv }), worker, this.#context);
    const { Network: network, hostname, extraHosts } = this.#request;
    return {
      id: worker.newContainerId(),
      rootfs: this.#rootfs,
      readonlyRootfs: mounts.readonlyRootfs,
      args: meta.args,
      env: [...meta.env, ...mounts.environment, ...secrets.variables],
      cwd: meta.cwd || '/',
      user: await userOf(meta.user, mounts.rootStack, worker),
      hostname: hostname || 'buildkitsandbox',
      mounts: this.#others,
      network: worker.networkFor(network === NetMode.NONE ? 'none' : network === NetMode.HOST ? 'host' : 'default'),
      privileged: security === SecurityMode.INSECURE,
      extraHosts: extraHosts.map(({ Host, IP }) => `${Host}:${IP}`),
      ...(isTerminal ? { terminal: { rows: 24, columns: 80 } } : {}),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#aborter.abort();
    // Their mounts stand on what is undone now.
    await Promise.all(this.#running);
    await this.#undo.disposeAsync();
  }
}
