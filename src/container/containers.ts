import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { errorMessage, SlipwayError } from '../base/errors.ts';
import { KeyedLock } from '../base/keyed-lock.ts';
import type { RunningProcess } from '../runtime/runtime.ts';
import type { ActiveId, Stack } from '../snapshot/snapshots.ts';
import type { ContainerRecord, ContainerState } from './container-record.ts';
import { containerSpec } from './container-spec.ts';
import { type Attachment, ContainerStreams } from './container-streams.ts';
import { ContainerTable } from './container-table.ts';
import {
  type CreateRequest,
  type CreateServices,
  checkName,
  createContainer,
  dropContainer,
} from './create-container.ts';
import { EventBus } from './event-bus.ts';
import { ExitWaiters, type WaitCondition } from './exit-waiters.ts';
import type { InputPipe } from './input-pipe.ts';
import { JsonLog, logLimits } from './json-log.ts';
import type { ProcessHost } from './process-host.ts';
import { type LogLine, type LogQuery, readLogs } from './read-logs.ts';
import { isRoot, userIn, withRootfs } from './rootfs-view.ts';
import { signalName } from './signal-name.ts';
import { inDockersWords, startFailureCode } from './start-failure.ts';
import { Volumes } from './volumes.ts';

export interface ContainerServices extends CreateServices {
  readonly database: DatabaseSync;
  readonly processes: ProcessHost;
}

/** What of a container lives only while it runs, or while somebody is attached before it does. */
interface Live {
  readonly streams: ContainerStreams;
  process: RunningProcess | undefined;
  size: { readonly rows: number; readonly columns: number } | undefined;
}

/** Containers: records, writable layers, volumes and processes. A container is named by id, name, or the beginning of its id. */
export class Containers {
  readonly events = new EventBus();
  readonly volumes: Volumes;
  readonly #services: ContainerServices;
  readonly #table: ContainerTable;
  readonly #live = new Map<string, Live>();
  readonly #waiters = new ExitWaiters();
  readonly #locks = new KeyedLock();
  /** They come back at once: `--rm` does not count then. */
  readonly #restarting = new Set<string>();

  constructor(services: ContainerServices) {
    this.#services = services;
    this.#table = new ContainerTable(services.database);
    this.volumes = new Volumes(join(services.root, 'volumes'), services.database);
    this.#settleAfterRestart();
  }

  /** Throws not-found without the image, already-exists when the name is taken, invalid-argument in docker's words. */
  async create(request: CreateRequest): Promise<ContainerRecord> {
    const record = await createContainer(this.#services, this.#table, this.volumes, request);
    this.#tell(record, 'create');
    return record;
  }

  /** Throws not-found. */
  find(text: string): ContainerRecord {
    return this.#table.find(text);
  }

  /** The newest first. */
  list(): readonly ContainerRecord[] {
    return this.#table.list();
  }

  /** Stacks that containers stand on: collection must keep them. */
  stacks(): readonly Stack[] {
    return this.#table.list().map((record) => this.#services.snapshots.activeStack(record.layer as ActiveId));
  }

  /** Ids of the containers that have a volume mounted. */
  usersOf(volume: string): string[] {
    return this.#table
      .list()
      .filter(({ mounts }) => mounts.some(({ name }) => name === volume))
      .map(({ id }) => id);
  }

  /** Answers false when it runs already. */
  async start(text: string): Promise<boolean> {
    const { id } = this.#table.find(text);
    const lock = await this.#locks.acquire(id);
    try {
      const record = this.#table.find(id);
      if (record.state.status === 'running') return false;
      await this.#start(record);
      return true;
    } finally {
      lock.release();
    }
  }

  async #start(record: ContainerRecord): Promise<void> {
    const { id, config } = record;
    const live = this.#liveOf(record);
    try {
      const spec = await this.#specOf(record, live);
      live.process = await this.#services.processes.start(spec, live.streams, { stdin: config.OpenStdin === true });
    } catch (error) {
      const failure = inDockersWords(error, [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])]);
      this.#ended(id, { status: 'created', exitCode: startFailureCode(failure), error: errorMessage(failure) });
      throw failure;
    }
    this.#update(id, {
      status: 'running',
      pid: live.process.pid,
      startedAt: new Date().toISOString(),
      exitCode: 0,
      error: '',
      outOfMemory: false,
    });
    this.#tell(record, 'start');
    live.process.exited.then(
      ({ code, outOfMemory }) => this.#ended(id, { status: 'exited', exitCode: code, outOfMemory }),
      (error: unknown) => this.#ended(id, { status: 'exited', exitCode: 128, error: errorMessage(error) }),
    );
  }

  async #specOf(record: ContainerRecord, { size }: Live) {
    const { snapshots, root } = this.#services;
    const layer = record.layer as ActiveId;
    const user = isRoot(record)
      ? { uid: 0, gid: 0 }
      : await withRootfs({ snapshots, runDirectory: join(root, 'run') }, layer, (rootfs) => userIn(rootfs, record));
    return containerSpec(record, snapshots.activeMounts(layer), user, size);
  }

  /** Output from now on; answers how to stop listening. Also before the start. */
  attach(text: string, attachment: Attachment): () => void {
    return this.#liveOf(this.#table.find(text)).streams.attach(attachment);
  }

  /** Where the process reads from, also before the start. */
  stdin(text: string): InputPipe {
    return this.#liveOf(this.#table.find(text)).streams.stdin;
  }

  /** Also before the start; without a terminal it does nothing. */
  resize(text: string, rows: number, columns: number): void {
    const live = this.#liveOf(this.#table.find(text));
    live.size = { rows, columns };
    live.process?.resize(rows, columns);
  }

  /** The state after the process's end: the last one, the next one, or once the container is gone. */
  wait(text: string, condition: WaitCondition, signal?: AbortSignal): Promise<ContainerState> {
    const { id, state } = this.#table.find(text);
    if (condition === 'not-running' && state.status !== 'running') return Promise.resolve(state);
    return this.#waiters.wait(id, condition === 'removed' ? 'removal' : 'exit', signal);
  }

  /** Throws failed-precondition when it does not run. */
  async kill(text: string, signal: string): Promise<void> {
    const name = signalName(signal);
    const record = this.#table.find(text);
    const running = this.#live.get(record.id)?.process;
    if (record.state.status !== 'running' || !running)
      throw new SlipwayError(
        'failed-precondition',
        `cannot kill container: ${text}: container ${record.id} is not running`,
      );
    await running.kill(name);
    this.#tell(record, 'kill', { signal: name });
  }

  /** Asks to end, then ends it; a negative number of seconds waits for ever. Answers false when it did not run. */
  async stop(
    text: string,
    options: { readonly seconds?: number | undefined; readonly signal?: string | undefined } = {},
  ): Promise<boolean> {
    const record = this.#table.find(text);
    const signal = signalName(options.signal ?? (record.config.StopSignal || 'SIGTERM'));
    const running = this.#live.get(record.id)?.process;
    if (record.state.status !== 'running' || !running) return false;
    const ended = this.wait(record.id, 'next-exit');
    const seconds = options.seconds ?? record.config.StopTimeout ?? 10;
    await running.kill(signal);
    const end = () => void running.kill('SIGKILL').catch(() => undefined);
    const timer = seconds < 0 ? undefined : setTimeout(end, Math.min(seconds, 2_000_000) * 1000);
    await ended;
    clearTimeout(timer);
    this.#tell(record, 'stop');
    return true;
  }

  async restart(
    text: string,
    options: { readonly seconds?: number | undefined; readonly signal?: string | undefined } = {},
  ): Promise<void> {
    const record = this.#table.find(text);
    this.#restarting.add(record.id);
    try {
      await this.stop(record.id, options);
      await this.start(record.id);
    } finally {
      this.#restarting.delete(record.id);
    }
    this.#tell(record, 'restart');
  }

  /** Throws failed-precondition when it runs and that is not forced. `volumes` takes its anonymous volumes too. */
  async remove(text: string, options: { readonly force?: boolean; readonly volumes?: boolean } = {}): Promise<void> {
    const { id, name } = this.#table.find(text);
    const lock = await this.#locks.acquire(id);
    try {
      if (!this.#table.has(id)) return;
      if (this.#table.find(id).state.status === 'running') {
        if (!options.force)
          throw new SlipwayError(
            'failed-precondition',
            `cannot remove container "/${name}": container is running: stop the container before removing or force remove`,
          );
        const ended = this.wait(id, 'next-exit');
        await this.#live.get(id)?.process?.kill('SIGKILL');
        await ended;
      }
      // One that removes itself is gone by now.
      if (this.#table.has(id)) await this.#remove(this.#table.find(id), options.volumes === true);
    } finally {
      lock.release();
    }
  }

  /** Throws already-exists when another container has the name. */
  rename(text: string, name: string): void {
    const bare = name.replace(/^\//, '');
    checkName(bare);
    const record = { ...this.#table.find(text), name: bare };
    this.#table.put(record);
    this.#tell(record, 'rename');
  }

  /** Throws failed-precondition when the container keeps no log. */
  logs(
    text: string,
    { follow, ...query }: Omit<LogQuery, 'follow'> & { readonly follow: boolean },
  ): AsyncGenerator<readonly LogLine[], void> {
    const record = this.#table.find(text);
    if (record.hostConfig.LogConfig?.Type === 'none')
      throw new SlipwayError('failed-precondition', 'configured logging driver does not support reading');
    const current = record.state.status === 'running' ? this.#live.get(record.id)?.streams.log : undefined;
    return readLogs(this.#logPath(record.id), { ...query, follow: follow ? current : undefined });
  }

  logPath(text: string): string {
    return this.#logPath(this.#table.find(text).id);
  }

  anyRunning(): boolean {
    return [...this.#live.values()].some((live) => live.process !== undefined);
  }

  /** Ends every process. */
  async close(): Promise<void> {
    const running = [...this.#live].filter(([, live]) => live.process);
    await Promise.allSettled(running.map(([id]) => this.stop(id, { seconds: 2 })));
  }

  async #remove(record: ContainerRecord, withVolumes: boolean): Promise<void> {
    this.#table.remove(record.id);
    dropContainer(this.#services, record);
    this.#live.delete(record.id);
    this.#tell(record, 'destroy');
    if (withVolumes) await this.#removeAnonymousVolumes(record);
    this.#waiters.removed(record.id, record.state);
  }

  async #removeAnonymousVolumes({ mounts }: ContainerRecord): Promise<void> {
    for (const { name } of mounts) {
      if (name === undefined || !this.volumes.has(name) || !this.volumes.get(name).anonymous) continue;
      if (this.usersOf(name).length === 0) await this.volumes.remove(name, []);
    }
  }

  #liveOf({ id, hostConfig }: ContainerRecord): Live {
    const existing = this.#live.get(id);
    if (existing) return existing;
    const { Type, Config } = hostConfig.LogConfig ?? {};
    const log = Type === 'none' ? undefined : new JsonLog(this.#logPath(id), logLimits(Config ?? {}));
    const live: Live = { streams: new ContainerStreams(log), process: undefined, size: undefined };
    this.#live.set(id, live);
    return live;
  }

  #logPath(id: string): string {
    return join(this.#services.root, 'containers', id, `${id}-json.log`);
  }

  #update(id: string, changes: Partial<ContainerState>): ContainerRecord {
    const record = this.#table.find(id);
    const changed = { ...record, state: { ...record.state, ...changes } };
    this.#table.put(changed);
    return changed;
  }

  #ended(id: string, end: Pick<ContainerState, 'status' | 'exitCode'> & Partial<ContainerState>): void {
    const live = this.#live.get(id);
    const finishedAt = end.status === 'exited' ? { finishedAt: new Date().toISOString() } : {};
    const record = this.#update(id, { pid: 0, ...finishedAt, ...end });
    this.#live.delete(id);
    live?.streams.end();
    this.#tell(record, 'die', { exitCode: `${end.exitCode}` });
    this.#waiters.exited(id, record.state);
    if (record.hostConfig.AutoRemove && !this.#restarting.has(id)) void this.#remove(record, true).catch(() => {});
  }

  /** Tells `docker events` what was done to a container elsewhere. */
  tell(record: ContainerRecord, action: string, more: Record<string, string> = {}): void {
    this.#tell(record, action, more);
  }

  /** Processes that belonged to the last daemon ended with it. */
  #settleAfterRestart(): void {
    for (const { id, state } of this.#table.list()) {
      if (state.status !== 'running') continue;
      this.#ended(id, { status: 'exited', exitCode: 137, error: 'the daemon ended' });
    }
  }

  #tell({ id, name, image, config }: ContainerRecord, action: string, more: Record<string, string> = {}): void {
    this.events.publish({ type: 'container', action, id, attributes: { ...config.Labels, image, name, ...more } });
  }
}
