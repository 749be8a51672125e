import { mkdtempSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { notFound, SlipwayError, systemErrorCode } from '../../base/errors.ts';
import type { ActiveId, Snapshots } from '../../snapshot/snapshots.ts';
import { runtimeMounts } from '../container-mounts.ts';
import type { ContainerRecord } from '../container-record.ts';
import { isRoot, userIn, withRootfs } from '../rootfs-view.ts';
import type { FileChange, FilesTask, FilesView, PathStat } from './files-job.ts';
import { runInThread } from './files-thread.ts';

interface FilesServices {
  readonly root: string;
  readonly snapshots: Snapshots;
}

/** What the runtime makes in every container to mount on. */
const runtimeStubs = ['/dev', '/proc', '/sys', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf'];

/**
 * Containers' files, for `cp`, `export`, `diff` and `commit`. Those of a running one are seen as its processes see them, those of
 * another one with its volumes where they will be. Missing paths throw not-found in docker's words.
 */
export class ContainerFiles {
  readonly #services: FilesServices;

  constructor(services: FilesServices) {
    this.#services = services;
  }

  async stat(record: ContainerRecord, path: string): Promise<PathStat> {
    for await (const message of this.#run(record, { kind: 'stat', path })) {
      if (message.kind === 'stat') return message.stat;
    }
    throw missing(record, path);
  }

  /** What a path names, and its bytes as a tar whose first member has the path's last word as its name. */
  async read(
    record: ContainerRecord,
    path: string,
  ): Promise<{ readonly stat: PathStat; readonly tar: AsyncIterable<Uint8Array> }> {
    const messages = this.#run(record, { kind: 'read', path });
    const { value: first } = await messages.next();
    if (first?.kind !== 'stat') throw missing(record, path);
    return { stat: first.stat, tar: piecesOf(messages) };
  }

  /** Unpacks a tar, compressed or not, below a directory. Throws invalid-argument when that is none, permission-denied where nothing may be written. */
  async write(
    record: ContainerRecord,
    path: string,
    tar: AsyncIterable<Uint8Array>,
    options: { readonly keepKinds: boolean; readonly asContainersUser: boolean },
  ): Promise<void> {
    if (record.state.status !== 'running' && record.hostConfig.ReadonlyRootfs && !isOnVolume(record, path))
      throw new SlipwayError('permission-denied', 'container rootfs is marked read-only');
    const owner = options.asContainersUser ? await this.#userOf(record) : undefined;
    const task = { kind: 'write' as const, path, owner, keepKinds: options.keepKinds };
    for await (const _ of this.#run(record, task, tar)) {
      // It says nothing but its end.
    }
  }

  /** The root file system without volumes, as a tar. */
  export(record: ContainerRecord): AsyncIterable<Uint8Array> {
    const rootfs = this.#services.snapshots.activeViewMounts(record.layer as ActiveId);
    return piecesOf(this.#runIn({ rootfs, more: [] }, { kind: 'export' }));
  }

  async changes(record: ContainerRecord): Promise<readonly FileChange[]> {
    for await (const message of this.#runIn(this.#layerOf(record), { kind: 'changes', stubs: stubsOf(record) })) {
      if (message.kind === 'changes') return message.changes;
    }
    return [];
  }

  /** What the container has changed of its image, as a layer's tar. */
  changeset(record: ContainerRecord): AsyncIterable<Uint8Array> {
    return piecesOf(this.#runIn(this.#layerOf(record), { kind: 'changeset', stubs: stubsOf(record) }));
  }

  #layerOf({ layer }: ContainerRecord) {
    const { snapshots } = this.#services;
    const id = layer as ActiveId;
    return { upper: snapshots.activeDirectory(id), lower: snapshots.viewMounts(snapshots.activeStack(id)) };
  }

  async *#run(record: ContainerRecord, task: Extract<FilesTask, { path: string }>, input?: AsyncIterable<Uint8Array>) {
    try {
      if (record.state.pid > 0) {
        yield* runInThread({ kind: 'process', pid: record.state.pid }, task, input);
        return;
      }
      const rootfs = this.#services.snapshots.activeMounts(record.layer as ActiveId);
      const more = runtimeMounts(record.mounts.filter(({ type }) => type !== 'tmpfs'));
      yield* this.#runIn({ rootfs, more }, task, input);
    } catch (error) {
      throw inDockersWords(error, record, task.path);
    }
  }

  async *#runIn(
    view:
      | Pick<Extract<FilesView, { kind: 'mounts' }>, 'rootfs' | 'more'>
      | Omit<Extract<FilesView, { kind: 'layer' }>, 'kind' | 'place'>,
    task: FilesTask,
    input?: AsyncIterable<Uint8Array>,
  ) {
    const place = mkdtempSync(join(this.#services.root, 'run', 'files-'));
    try {
      yield* runInThread(
        'upper' in view ? { kind: 'layer', place, ...view } : { kind: 'mounts', place, ...view },
        task,
        input,
      );
    } finally {
      rmdirSync(place);
    }
  }

  async #userOf(record: ContainerRecord): Promise<{ uid: number; gid: number }> {
    if (isRoot(record)) return { uid: 0, gid: 0 };
    const { snapshots, root } = this.#services;
    const place = { snapshots, runDirectory: join(root, 'run') };
    if (record.state.pid > 0) return userIn(`/proc/${record.state.pid}/root`, record);
    return withRootfs(place, record.layer as ActiveId, (rootfs) => userIn(rootfs, record));
  }
}

async function* piecesOf(
  messages: AsyncGenerator<{ readonly kind: string; readonly bytes?: Uint8Array }, void>,
): AsyncGenerator<Uint8Array, void> {
  for await (const { bytes } of messages) if (bytes) yield bytes;
}

function stubsOf({ mounts }: ContainerRecord): string[] {
  return [...runtimeStubs, ...mounts.map(({ target }) => target)];
}

function isOnVolume({ mounts }: ContainerRecord, path: string): boolean {
  return mounts.some(({ type, target }) => type !== 'tmpfs' && (path === target || path.startsWith(`${target}/`)));
}

function missing({ name }: ContainerRecord, path: string): SlipwayError {
  return notFound(`Could not find the file ${path} in container ${name}`);
}

function inDockersWords(error: unknown, record: ContainerRecord, path: string): unknown {
  switch (systemErrorCode(error)) {
    case 'ENOENT':
      return missing(record, path);
    case 'ENOTDIR':
      return new SlipwayError('invalid-argument', `${path} is not a directory`, { cause: error });
    case 'EROFS':
      return new SlipwayError('permission-denied', 'container rootfs is marked read-only', { cause: error });
    case 'ENOSPC':
    case 'EDQUOT':
      return new SlipwayError('resource-exhausted', `the disk is full: ${String(error)}`, { cause: error });
    default:
      return error;
  }
}
