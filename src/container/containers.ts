import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { AsyncQueue } from '../base/async.ts';
import { errorMessage, invalidArgument, SlipwayError } from '../base/errors.ts';
import { mountAll, unmount } from '../kernel/mounting.ts';
import { openFlags, openInRoot } from '../kernel/open-in-root.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { resolveUser } from '../oci/user.ts';
import type { ProcessUser, RunningProcess, Runtime } from '../runtime/runtime.ts';
import type { ActiveId, Snapshots, Stack } from '../snapshot/snapshots.ts';
import { ContainerOutput, type OutputListener } from './container-output.ts';
import {
  type ContainerConfig,
  type ContainerRecord,
  type ContainerState,
  type HostConfig,
  zeroTime,
} from './container-record.ts';
import { containerSpec } from './container-spec.ts';
import { ContainerTable } from './container-table.ts';
import { mergeConfig } from './merge-config.ts';
import { randomName } from './random-name.ts';

/** An image that a container can stand on. */
export interface ContainerImage {
  /** Digest of its config. */
  readonly id: string;
  readonly config: ImageConfig;
  readonly stack: Stack;
}

export interface ContainerServices {
  readonly root: string;
  readonly database: DatabaseSync;
  readonly snapshots: Snapshots;
  readonly runtime: Runtime;
  /** Throws not-found with docker's words when the image is not here. */
  resolveImage(name: string): Promise<ContainerImage>;
}

export interface CreateRequest {
  readonly name: string | undefined;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
}

/** What of a container lives only while it runs, or while somebody waits for it to. */
interface Live {
  readonly output: ContainerOutput;
  readonly stdin: AsyncQueue<Uint8Array>;
  process: RunningProcess | undefined;
  size: { readonly rows: number; readonly columns: number } | undefined;
  readonly exits: PromiseWithResolvers<ContainerState>[];
  readonly removals: PromiseWithResolvers<ContainerState>[];
}

/** Containers: records, writable layers and processes. */
export class Containers {
  readonly #services: ContainerServices;
  readonly #table: ContainerTable;
  readonly #live = new Map<string, Live>();

  constructor(services: ContainerServices) {
    this.#services = services;
    this.#table = new ContainerTable(services.database);
    this.#settleAfterRestart();
  }

  async create({ name, config, hostConfig }: CreateRequest): Promise<ContainerRecord> {
    if (name !== undefined) checkName(name);
    const image = await this.#services.resolveImage(config.Image ?? '');
    const id = randomBytes(32).toString('hex');
    const layer = this.#services.snapshots.prepare(image.stack, { persistent: true });
    try {
      const record: ContainerRecord = {
        id,
        name: name ?? randomName((candidate) => this.#table.hasName(candidate)),
        created: new Date().toISOString(),
        imageId: image.id,
        image: config.Image ?? '',
        config: mergeConfig(config, image.config.config ?? {}),
        hostConfig,
        layer,
        state: {
          status: 'created',
          pid: 0,
          exitCode: 0,
          outOfMemory: false,
          error: '',
          startedAt: zeroTime,
          finishedAt: zeroTime,
        },
      };
      this.#table.put(record);
      return record;
    } catch (error) {
      this.#services.snapshots.discard(layer);
      throw error;
    }
  }

  find(text: string): ContainerRecord {
    return this.#table.find(text);
  }

  list(): readonly ContainerRecord[] {
    return this.#table.list();
  }

  /** Stacks that containers stand on: collection must keep them. */
  stacks(): readonly Stack[] {
    return this.#table.list().map((record) => this.#services.snapshots.activeStack(record.layer as ActiveId));
  }

  /** Answers false when it runs already. */
  async start(text: string): Promise<boolean> {
    const record = this.#table.find(text);
    if (record.state.status === 'running') return false;
    const live = this.#liveOf(record.id);
    const layer = record.layer as ActiveId;
    try {
      const rootfs = this.#services.snapshots.activeMounts(layer);
      const user = this.#userOf(record);
      const spec = containerSpec(record, rootfs, user, live.size);
      live.process = await this.#services.runtime.start(spec, {
        stdin: record.config.OpenStdin ? live.stdin : undefined,
        stdout: (chunk) => live.output.write(1, chunk),
        stderr: (chunk) => live.output.write(2, chunk),
      });
    } catch (error) {
      const failure = inDockersWords(error, record);
      this.#ended(record.id, { exitCode: startFailureCode(failure), error: errorMessage(failure), outOfMemory: false });
      throw failure;
    }
    this.#update(record.id, {
      status: 'running',
      pid: live.process.pid,
      startedAt: new Date().toISOString(),
      exitCode: 0,
      error: '',
    });
    live.process.exited.then(
      ({ code, outOfMemory }) => this.#ended(record.id, { exitCode: code, outOfMemory, error: '' }),
      (error: unknown) => this.#ended(record.id, { exitCode: 128, outOfMemory: false, error: errorMessage(error) }),
    );
    return true;
  }

  /** Output from now on; answers how to stop listening. */
  attach(text: string, take: OutputListener, end: () => void): () => void {
    const record = this.#table.find(text);
    return this.#liveOf(record.id).output.listen(take, end);
  }

  writeStdin(text: string, bytes: Uint8Array): void {
    this.#live.get(this.#table.find(text).id)?.stdin.push(bytes);
  }

  endStdin(text: string): void {
    this.#live.get(this.#table.find(text).id)?.stdin.end();
  }

  resize(text: string, rows: number, columns: number): void {
    const live = this.#liveOf(this.#table.find(text).id);
    live.size = { rows, columns };
    live.process?.resize(rows, columns);
  }

  /** The state after the process's end: the last one, the next one, or once the container is gone. */
  wait(text: string, condition: 'not-running' | 'next-exit' | 'removed'): Promise<ContainerState> {
    const { id, state } = this.#table.find(text);
    if (condition === 'not-running' && state.status !== 'running') return Promise.resolve(state);
    const waiting = Promise.withResolvers<ContainerState>();
    const live = this.#liveOf(id);
    (condition === 'removed' ? live.removals : live.exits).push(waiting);
    return waiting.promise;
  }

  async kill(text: string, signal: string): Promise<void> {
    const { id, state } = this.#table.find(text);
    const running = this.#live.get(id)?.process;
    if (state.status !== 'running' || !running)
      throw new SlipwayError('already-exists', `cannot kill container: ${text}: container ${id} is not running`);
    await running.kill(signalName(signal));
  }

  /** Asks to end, then ends it. Answers false when it did not run. */
  async stop(
    text: string,
    options: { readonly seconds?: number | undefined; readonly signal?: string | undefined } = {},
  ): Promise<boolean> {
    const { id, state, config } = this.#table.find(text);
    const running = this.#live.get(id)?.process;
    if (state.status !== 'running' || !running) return false;
    const ended = this.wait(id, 'next-exit');
    const seconds = options.seconds ?? config.StopTimeout ?? 10;
    await running.kill(signalName(options.signal ?? config.StopSignal ?? 'SIGTERM'));
    const timer =
      seconds < 0 ? undefined : setTimeout(() => void running.kill('SIGKILL').catch(() => undefined), seconds * 1000);
    await ended;
    clearTimeout(timer);
    return true;
  }

  async remove(text: string, options: { readonly force?: boolean } = {}): Promise<void> {
    const { id, state, name, layer } = this.#table.find(text);
    if (state.status === 'running') {
      if (!options.force) {
        throw new SlipwayError(
          'already-exists',
          `cannot remove container "/${name}": container is running: stop the container before removing or force remove`,
        );
      }
      const ended = this.wait(id, 'next-exit');
      await this.#live.get(id)?.process?.kill('SIGKILL');
      await ended;
      // A container that removes itself is gone by now.
      if (!this.#table.hasName(name)) return;
    }
    this.#remove(id, layer);
  }

  /** Throws already-exists when another container has the name. */
  rename(text: string, name: string): void {
    checkName(name);
    this.#table.put({ ...this.#table.find(text), name });
  }

  logPath(text: string): string {
    return this.#logPath(this.#table.find(text).id);
  }

  anyRunning(): boolean {
    return [...this.#live.values()].some((live) => live.process !== undefined);
  }

  async close(): Promise<void> {
    const running = [...this.#live].filter(([, live]) => live.process);
    await Promise.all(running.map(([id]) => this.stop(id, { seconds: 2 })));
  }

  #remove(id: string, layer: string): void {
    const { state } = this.#table.find(id);
    this.#table.remove(id);
    this.#services.snapshots.discard(layer as ActiveId);
    rmSync(join(this.#services.root, 'containers', id), { recursive: true, force: true });
    for (const waiting of this.#live.get(id)?.removals ?? []) waiting.resolve(state);
    this.#live.delete(id);
  }

  #liveOf(id: string): Live {
    let live = this.#live.get(id);
    if (!live) {
      live = {
        output: new ContainerOutput(this.#logPath(id)),
        stdin: new AsyncQueue(),
        process: undefined,
        size: undefined,
        exits: [],
        removals: [],
      };
      this.#live.set(id, live);
    }
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

  #ended(id: string, end: Pick<ContainerState, 'exitCode' | 'outOfMemory' | 'error'>): void {
    const live = this.#live.get(id);
    const record = this.#update(id, { status: 'exited', pid: 0, finishedAt: new Date().toISOString(), ...end });
    this.#live.delete(id);
    live?.output.end();
    for (const waiting of live?.exits ?? []) waiting.resolve(record.state);
    if (live && live.removals.length > 0) this.#liveOf(id).removals.push(...live.removals);
    if (record.hostConfig.AutoRemove) this.#remove(id, record.layer);
  }

  /** Foreground containers end with the daemon that ran them. */
  #settleAfterRestart(): void {
    for (const record of this.#table.list()) {
      if (record.state.status !== 'running') continue;
      this.#update(record.id, {
        status: 'exited',
        pid: 0,
        exitCode: 137,
        finishedAt: new Date().toISOString(),
        error: 'the daemon ended',
      });
      if (record.hostConfig.AutoRemove) this.#remove(record.id, record.layer);
    }
  }

  /** Names are looked up in the container's own files. */
  #userOf(record: ContainerRecord): ProcessUser {
    const value = record.config.User ?? '';
    const extra = record.hostConfig.GroupAdd ?? [];
    if ((value === '' || value === '0' || value === 'root') && extra.length === 0) return { uid: 0, gid: 0 };
    const place = mkdtempSync(join(this.#services.root, 'run/user-'));
    mountAll(this.#services.snapshots.activeMounts(record.layer as ActiveId), place);
    try {
      const [passwd, group] = ['/etc/passwd', '/etc/group'].map((path) => readInside(place, path));
      const { uid, gid, additionalGids } = resolveUser(value, passwd ?? '', group ?? '');
      const added = extra.map((name) => resolveUser(`0:${name}`, passwd ?? '', group ?? '').gid);
      return { uid, gid, additionalGids: [...additionalGids, ...added] };
    } finally {
      unmount(place);
      rmdirSync(place);
    }
  }
}

function checkName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) return;
  throw invalidArgument(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
}

function readInside(root: string, path: string): string {
  try {
    const fd = openInRoot(root, path, openFlags.readOnly);
    try {
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  } catch {
    // An image without such a file knows numbers only.
    return '';
  }
}

/** docker's client tells exit codes 126 and 127 by these words. */
function inDockersWords(error: unknown, { config }: ContainerRecord): unknown {
  if (!(error instanceof SlipwayError) || (error.code !== 'not-found' && error.code !== 'permission-denied'))
    return error;
  const program = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])][0];
  const words = error.code === 'not-found' ? 'executable file not found in $PATH' : 'permission denied';
  return new SlipwayError(error.code, `failed to start container: exec: ${JSON.stringify(program)}: ${words}`, {
    cause: error,
  });
}

function startFailureCode(error: unknown): number {
  if (!(error instanceof SlipwayError)) return 128;
  return error.code === 'not-found' ? 127 : error.code === 'permission-denied' ? 126 : 128;
}

/** `9`, `KILL`, `SIGKILL` → a name with SIG. */
export function signalName(text: string): string {
  const upper = text.toUpperCase();
  if (/^\d{1,2}$/.test(upper)) return upper;
  return upper.startsWith('SIG') ? upper : `SIG${upper}`;
}
