import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { invalidArgument, SlipwayError } from '../base/errors.ts';
import { ContainerBundle, removeBundle } from './container-bundle.ts';
import { ExecPlace } from './exec-place.ts';
import { type ChosenRuntime, findRuntime, type RuntimeBinary, type RuntimeName } from './find-runtime.ts';
import type { ContainerSpec, ExecSpec, ProcessIo, RunningProcess, Runtime } from './runtime.ts';
import { RuntimeProcess } from './runtime-process.ts';
import { SeccompCache } from './seccomp-cache.ts';
import { SpawnerClient } from './spawner-client.ts';
import { execProcess } from './spec.ts';

export interface OciRuntimeOptions {
  /** The daemon's directory for what does not outlive it; `bundles` and `state` are made inside. */
  readonly runDirectory: string;
  readonly only?: RuntimeName | undefined;
  /** The program of the helper process, where it does not lie beside this one. */
  readonly spawnerPath?: string | undefined;
}

interface RunningContainer {
  readonly process: RuntimeProcess;
  readonly spec: ContainerSpec;
  readonly binary: RuntimeBinary;
}

/** Starts containers by crun or runc, whichever this host has and its cgroups allow. */
export class OciRuntime implements Runtime {
  readonly #chosen: ChosenRuntime;
  readonly #bundles: string;
  readonly #state: string;
  readonly #execs: string;
  readonly #spawner: SpawnerClient;
  readonly #running = new Map<string, RunningContainer>();
  readonly #filters: SeccompCache;
  #closed = false;

  private constructor(options: OciRuntimeOptions, chosen: ChosenRuntime) {
    this.#chosen = chosen;
    this.#bundles = join(options.runDirectory, 'bundles');
    this.#state = join(options.runDirectory, 'state');
    this.#execs = join(options.runDirectory, 'exec');
    this.#spawner = new SpawnerClient(options.spawnerPath);
    const state = join(this.#state, chosen.main.name);
    this.#filters = new SeccompCache(
      join(options.runDirectory, 'seccomp'),
      this.#spawner,
      this.#commandOf(chosen.main),
      state,
    );
  }

  /** Finds a runtime, ends what an earlier daemon left behind, and starts the helper process. */
  static async open(options: OciRuntimeOptions): Promise<OciRuntime> {
    const runtime = new OciRuntime(options, findRuntime({ only: options.only }));
    mkdirSync(runtime.#bundles, { recursive: true, mode: 0o700 });
    await runtime.#removeLeftovers();
    runtime.#spawner.warm();
    return runtime;
  }

  get name(): string {
    return this.#chosen.main.name;
  }

  describe(): { binary: string; version: string; reason: string; warnings: readonly string[] } {
    const { main, reason, warnings } = this.#chosen;
    return { binary: main.path, version: main.version, reason, warnings };
  }

  async start(
    spec: ContainerSpec,
    io: ProcessIo,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<RunningProcess> {
    signal?.throwIfAborted();
    if (this.#closed)
      throw new SlipwayError('failed-precondition', `cannot start container "${spec.id}": shutting down`);
    checkSpec(spec);
    const binary = this.#binaryFor(spec);
    const parent = spec.cgroupParent ?? '/slipway';
    const bundle = new ContainerBundle(join(this.#bundles, spec.id), spec, {
      cgroupsPath: join('/', parent, spec.id),
      filtersDevices: binary.filtersDevices,
      annotationsFor: binary.name === 'crun' ? (profile) => this.#filters.annotationsFor(profile) : undefined,
    });
    const process = new RuntimeProcess({
      id: spec.id,
      bundle,
      words: ['run', '--bundle', bundle.path],
      spawner: this.#spawner,
      command: this.#commandOf(binary),
      binary: binary.path,
      terminal: spec.terminal,
      limitsMemory: spec.resources?.memory !== undefined,
      io,
      signal,
    });
    this.#running.set(spec.id, { process, spec, binary });
    const forget = () => this.#running.delete(spec.id);
    process.exited.then(forget, forget);
    await process.started(spec.args[0] ?? '');
    return process;
  }

  async exec(container: string, exec: ExecSpec, io: ProcessIo): Promise<RunningProcess> {
    const running = this.#running.get(container);
    if (!running) throw new SlipwayError('failed-precondition', `container ${container} is not running`);
    const { spec, binary } = running;
    checkSpec({ ...spec, ...exec });
    const place = new ExecPlace(join(this.#execs, exec.id), execProcess(spec, exec, binary.filtersDevices));
    const process = new RuntimeProcess({
      id: container,
      bundle: place,
      words: ['exec', '--process', place.processFile],
      isExec: true,
      spawner: this.#spawner,
      command: this.#commandOf(binary),
      binary: binary.path,
      terminal: exec.terminal,
      limitsMemory: false,
      io,
    });
    await process.started(exec.args[0] ?? '');
    return process;
  }

  /** Kills every container and ends the helper process. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#running.values()].map(({ process }) => process.end()));
    await this.#filters.settled();
    await this.#spawner.close();
  }

  #binaryFor(spec: ContainerSpec): RuntimeBinary {
    const limited = Object.values(spec.resources ?? {}).some((value) => value !== undefined);
    if (!limited) return this.#chosen.main;
    if (this.#chosen.limiting) return this.#chosen.limiting;
    throw new SlipwayError(
      'failed-precondition',
      `cannot limit container "${spec.id}": this host's cgroups are hybrid`,
      {
        hint: 'install runc, or boot with systemd.unified_cgroup_hierarchy=1',
      },
    );
  }

  /** Each runtime keeps its state apart: their formats differ. */
  #commandOf({ name, path, wrapper }: RuntimeBinary): readonly string[] {
    return [...wrapper, path, '--root', join(this.#state, name)];
  }

  async #removeLeftovers(): Promise<void> {
    const { main, limiting } = this.#chosen;
    const binaries = limiting && limiting !== main ? [main, limiting] : [main];
    for (const binary of binaries) {
      for (const id of entriesOf(join(this.#state, binary.name))) {
        await this.#spawner.command([...this.#commandOf(binary), 'delete', '--force', id]);
      }
    }
    rmSync(this.#execs, { recursive: true, force: true });
    for (const id of entriesOf(this.#bundles)) removeBundle(join(this.#bundles, id));
  }
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => !name.startsWith('.'));
  } catch {
    return [];
  }
}

/** The id becomes a directory, a cgroup and an argument. */
const idForm = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

function checkSpec({ id, args, env }: ContainerSpec): void {
  if (!idForm.test(id)) throw invalidArgument(`cannot use ${JSON.stringify(id)} as the id of a container`);
  if (args.length === 0 || args[0] === '')
    throw invalidArgument(`cannot start container "${id}": no command was given`);
  const bad = [...args, ...env].find((text) => text.includes('\0'));
  if (bad !== undefined) {
    const name = JSON.stringify(bad.slice(0, bad.search(/[=\0]/)));
    throw invalidArgument(
      `cannot start container "${id}": an argument or variable that starts with ${name} contains a NUL byte`,
    );
  }
}
