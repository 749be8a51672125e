import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { notFound } from '../base/errors.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import type { ContainerSpec, ExecSpec, ExitStatus, ProcessIo, RunningProcess, Runtime } from '../runtime/runtime.ts';
import { BulkPool } from '../snapshot/bulk-pool.ts';
import { OverlaySnapshots } from '../snapshot/overlay-snapshots.ts';
import type { Stack } from '../snapshot/snapshots.ts';
import { Containers } from './containers.ts';
import { DaemonProcesses } from './process-host.ts';

/** What a fake process does; `signalled` resolves with the first signal it gets. */
export type Program = (io: ProcessIo, spec: ContainerSpec, signalled: Promise<string>) => Promise<number>;

const bytes = (text: string) => Buffer.from(text);

const programs: Readonly<Record<string, Program>> = {
  true: async () => 0,
  exit: async (_io, { args }) => Number(args[1]),
  echo: async (io, { args }) => {
    await io.stdout(bytes(`${args.slice(1).join(' ')}\n`));
    return 0;
  },
  both: async (io) => {
    await io.stdout(bytes('out\n'));
    await io.stderr(bytes('err\n'));
    return 3;
  },
  cat: async (io) => {
    for await (const chunk of io.stdin ?? []) await io.stdout(chunk);
    return 0;
  },
  /** Ends with 128 and the signal's number, as a shell would say. */
  sleep: async (io, _spec, signalled) => {
    await io.stdout(bytes('ready\n'));
    return (await signalled) === 'SIGKILL' ? 137 : 143;
  },
  /** Only SIGKILL ends it. */
  stubborn: async (io, spec, signalled) => programs.sleep?.(io, spec, signalled) ?? 0,
};

/** Runs functions of this process instead of containers. */
export class FakeRuntime implements Runtime {
  readonly name = 'fake';
  readonly started: ContainerSpec[] = [];
  readonly signals: string[] = [];

  async start(spec: ContainerSpec, io: ProcessIo): Promise<RunningProcess> {
    this.started.push(spec);
    const program = programs[spec.args[0] ?? ''];
    if (!program) throw notFound(`no such program: ${spec.args[0]}`);
    const signalled = Promise.withResolvers<string>();
    const exited: Promise<ExitStatus> = program(io, spec, signalled.promise).then((code) => ({
      code,
      outOfMemory: false,
    }));
    return {
      pid: 4242,
      exited,
      kill: async (signal) => {
        this.signals.push(signal);
        if (spec.args[0] !== 'stubborn' || signal === 'SIGKILL') signalled.resolve(signal);
      },
      resize: () => {},
    };
  }

  exec(container: string, spec: ExecSpec, io: ProcessIo): Promise<RunningProcess> {
    const running = this.started.find(({ id }) => id === container);
    if (!running) throw notFound(`no such container: ${container}`);
    return this.start({ ...running, ...spec }, io);
  }

  describe() {
    return { binary: 'fake', version: '1', reason: 'a test', warnings: [] };
  }

  async close(): Promise<void> {}
}

export const fixtureImage: ImageConfig = {
  architecture: 'amd64',
  os: 'linux',
  rootfs: { type: 'layers', diff_ids: [] },
  config: { Env: ['PATH=/bin', 'FROM=image'], Cmd: ['true'], Labels: { base: 'yes' } },
};

/** Containers over an empty image called `image`, with the fake runtime. */
export class ContainerFixture implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'slipway-containers-'));
  readonly runtime = new FakeRuntime();
  readonly database = new DatabaseSync(':memory:');
  readonly snapshots: OverlaySnapshots;
  readonly bulk = new BulkPool(1);
  config: ImageConfig = fixtureImage;
  stack: Stack = [];
  containers: Containers;

  constructor() {
    mkdirSync(join(this.root, 'run'));
    this.snapshots = new OverlaySnapshots(join(this.root, 'snapshots'), this.database);
    this.containers = this.open();
  }

  /** As a daemon that starts anew over the same store. */
  open(): Containers {
    return new Containers({
      root: this.root,
      database: this.database,
      snapshots: this.snapshots,
      bulk: this.bulk,
      processes: new DaemonProcesses(this.runtime),
      resolveImage: async (name) => {
        if (name !== 'image') throw notFound(`No such image: ${name}`);
        return { id: `sha256:${'a'.repeat(64)}`, config: this.config, stack: this.stack };
      },
    });
  }

  /** The new container's id. */
  async create(
    cmd: readonly string[],
    more: { readonly name?: string; readonly config?: object; readonly hostConfig?: object } = {},
  ): Promise<string> {
    const { id } = await this.containers.create({
      name: more.name,
      config: { Image: 'image', Cmd: cmd, ...more.config },
      hostConfig: more.hostConfig ?? {},
    });
    return id;
  }

  [Symbol.dispose](): void {
    void this.bulk.close();
    this.snapshots.close();
    this.database.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}
