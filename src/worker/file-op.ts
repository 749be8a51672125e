import { join } from 'node:path';
import type { FileAction, FileActionCopy, FileOp } from '../api/gen/ops_pb.js';
import { type Digest, digestOf } from '../base/digest.ts';
import { invalidArgument } from '../base/errors.ts';
import { hasWildcard } from '../dockerfile/go-match.ts';
import { type CopyOptions, modeOfParents, type Owner } from '../snapshot/copy-tree.ts';
import type { FileReuseOptions } from '../snapshot/file-reuse.ts';
import type { Selection } from '../snapshot/select-files.ts';
import type { ActiveId, Stack } from '../snapshot/snapshots.ts';
import { makeDirectory, makeFile, makeSymlink, removeFiles } from '../snapshot/tree-operations.ts';
import { lstatOf, resolveTreePath } from '../snapshot/tree-path.ts';
import type { CacheMap, Handle, InputKeying, Op, OpContext } from '../solver/op.ts';
import { prepareDirectCopy } from './direct-copy.ts';
import { fileOwner, ownerKey } from './file-owner.ts';
import { hashRefSelections } from './hash-ref.ts';
import { awaitImages, emptyStack, holdRef, type Ref, stackOf } from './ref.ts';
import { unpackArchives } from './unpack-archives.ts';
import type { View } from './views.ts';
import type { WorkerServices } from './worker-services.ts';

/** Copying, making and removing files: COPY, ADD, WORKDIR. */
export function createFileOp(file: FileOp, inputCount: number, services: WorkerServices): Op<Ref> {
  return {
    cacheMap: async () => fileCacheMap(file, inputCount, services),
    awaitInputs: awaitImages,
    run: (inputs, context) => new FileRun(file, inputs, services, context).run(),
  };
}

function fileCacheMap(file: FileOp, inputCount: number, services: WorkerServices): CacheMap<Ref> {
  const key = { type: 'file', actions: file.actions.map((action) => actionKey(action)) };
  const inputs = Array.from({ length: inputCount }, (_, index) => inputKeying(file, index, services));
  return { digest: digestOf(JSON.stringify(key)), inputs };
}

function actionKey({ input, secondaryInput, output, action }: FileAction): unknown {
  const places = [input, secondaryInput, output].map(String);
  switch (action.case) {
    case 'copy': {
      const { owner, $typeName, ...copy } = action.value;
      return ['copy', places, { ...copy, timestamp: `${copy.timestamp}`, owner: ownerKey(owner) }];
    }
    case 'mkfile': {
      const { path, mode, data, owner, timestamp } = action.value;
      return ['mkfile', places, path, mode, Buffer.from(data).toString('base64'), ownerKey(owner), `${timestamp}`];
    }
    case 'mkdir': {
      const { path, mode, makeParents, owner, timestamp } = action.value;
      return ['mkdir', places, path, mode, makeParents, ownerKey(owner), `${timestamp}`];
    }
    case 'rm':
      return ['rm', places, action.value.path, action.value.allowNotFound, action.value.allowWildcard];
    case 'symlink': {
      const { oldpath, newpath, owner, timestamp } = action.value;
      return ['symlink', places, oldpath, newpath, ownerKey(owner), `${timestamp}`];
    }
    case undefined:
      throw invalidArgument('cannot run a file op: an action says nothing to do');
  }
}

/** An input that is only copied from counts by what is copied; one that is written on counts by its definition. */
function inputKeying(file: FileOp, index: number, services: WorkerServices): InputKeying<Ref> {
  const writtenOn = file.actions.some((action) => Number(action.input) === index);
  const copies = file.actions.flatMap(({ secondaryInput, action }) =>
    Number(secondaryInput) === index && action.case === 'copy' ? [selectionOf(action.value)] : [],
  );
  if (writtenOn || copies.length === 0) return {};
  return {
    selector: JSON.stringify(copies),
    contentKey: (input, context): Promise<Digest> => hashRefSelections(services, input, copies, context),
  };
}

function selectionOf(copy: FileActionCopy): Selection {
  return {
    path: copy.src,
    wildcard: copy.allowWildcard,
    allowEmpty: copy.allowEmptyWildcard,
    followLinks: copy.followSymlink,
    include: copy.includePatterns,
    exclude: copy.excludePatterns,
    required: copy.requiredPaths,
  };
}

/** A state between two actions: a finished input, or a layer that is being written. */
type Place =
  | { readonly stack: Stack; readonly ref?: Ref }
  | { readonly active: ActiveId; readonly stack: Stack; view: View };

class FileRun {
  readonly #file: FileOp;
  readonly #inputs: readonly Ref[];
  readonly #services: WorkerServices;
  readonly #context: OpContext;
  readonly #places: Place[] = [];
  readonly #undo = new DisposableStack();

  constructor(file: FileOp, inputs: readonly Ref[], services: WorkerServices, context: OpContext) {
    this.#file = file;
    this.#inputs = inputs;
    this.#services = services;
    this.#context = context;
  }

  async run(): Promise<Handle<Ref>[]> {
    using _undo = this.#undo;
    const outputs = new Map<number, number>();
    for (const [i, action] of this.#file.actions.entries()) {
      this.#context.signal.throwIfAborted();
      const active = await this.#begin(Number(action.input));
      await this.#apply(action, active);
      this.#places[this.#inputs.length + i] = active;
      if (action.output >= 0n) outputs.set(Number(action.output), this.#inputs.length + i);
    }
    return [...outputs].toSorted(([a], [b]) => a - b).map(([, place]) => this.#commit(place));
  }

  /** The layer that an action writes: that of the action before, if it continues it, else a new one. */
  async #begin(input: number): Promise<Extract<Place, { active: ActiveId }>> {
    const place = input < 0 ? undefined : this.#places[input];
    if (place && 'active' in place) return place;
    const ref = this.#inputs[input];
    if (input >= 0 && !ref) throw invalidArgument(`cannot run a file op: it has no input ${input}`);
    const stack = ref ? await stackOf(ref, this.#context.signal) : emptyStack;
    const { snapshots, views } = this.#services;
    const active = snapshots.prepare(stack);
    this.#undo.defer(() => {
      snapshots.discard(active);
      this.#services.copyRecords.discarded(active);
    });
    return { active, stack, view: this.#undo.use(views.openActive(active)) };
  }

  async #apply({ action, secondaryInput }: FileAction, target: Extract<Place, { active: ActiveId }>): Promise<void> {
    const root = target.view.path;
    switch (action.case) {
      case 'copy':
        await this.#copy(action.value, Number(secondaryInput), target);
        break;
      case 'mkfile': {
        const { path, mode, data, owner, timestamp } = action.value;
        makeFile(root, path, mode, data, { owner: this.#ownerOr(owner, root), time: timeOf(timestamp) });
        break;
      }
      case 'mkdir': {
        const { path, mode, owner, makeParents, timestamp } = action.value;
        makeDirectory(root, path, mode, {
          owner: this.#ownerOr(owner, root),
          parents: makeParents,
          time: timeOf(timestamp),
        });
        break;
      }
      case 'rm':
        removeFiles(root, action.value.path, {
          allowMissing: action.value.allowNotFound,
          wildcard: action.value.allowWildcard,
        });
        break;
      case 'symlink': {
        const { oldpath, newpath, owner, timestamp } = action.value;
        makeSymlink(root, oldpath, newpath, { owner: this.#ownerOr(owner, root), time: timeOf(timestamp) });
        break;
      }
    }
  }

  #ownerOr(owner: Parameters<typeof fileOwner>[0], root: string): Owner {
    return fileOwner(owner, root) ?? { uid: 0, gid: 0 };
  }

  async #copy(copy: FileActionCopy, from: number, target: Extract<Place, { active: ActiveId }>): Promise<void> {
    const { bulk } = this.#services;
    const selection = selectionOf(copy);
    const root = target.view.path;
    await this.#withSource(from, async (source, filter) => {
      const owner = fileOwner(copy.owner, root) ?? (filter ? { uid: 0, gid: 0 } : undefined);
      if (
        copy.attemptUnpackDockerCompatibility &&
        (await unpackArchives(source, selection, filter, root, copy.dest, owner, bulk))
      )
        return;
      const options: CopyOptions = {
        filter,
        owner,
        mode: copy.modeStr !== '' ? copy.modeStr : copy.mode < 0 ? undefined : copy.mode.toString(8),
        time: timeOf(copy.timestamp),
        directoryContents: copy.dirCopyContents,
        createDestination: copy.createDestPath,
        replaceExisting: copy.alwaysReplaceExistingDestPaths,
      };
      const direct = copiesTree(source, selection, copy)
        ? prepareDirectCopy(root, copy.dest, owner ?? { uid: 0, gid: 0 }, modeOfParents(options))
        : undefined;
      if (direct === undefined) await bulk.run('copySelection', source, selection, root, copy.dest, options);
      else {
        const reuse = this.#reuseFor(from, target.active, direct, { selection, options });
        await this.#beside(target, (layer) =>
          bulk.run('copySelection', source, selection, layer, direct, { ...options, reuse }),
        );
      }
    });
  }

  /** A copy from a context may take from an earlier one what has not changed since. */
  #reuseFor(from: number, active: ActiveId, destination: string, what: object): FileReuseOptions | undefined {
    const ref = this.#inputs[from];
    if (ref?.kind !== 'directory') return undefined;
    const { copyRecords, contextsDirectory } = this.#services;
    const text = JSON.stringify([ref.indexName, destination, what], (_, value) =>
      typeof value === 'bigint' ? `${value}` : value,
    );
    const kind = digestOf(text).slice(7, 39);
    return { indexFile: join(contextsDirectory, ref.indexName), ...copyRecords.begin(kind, active, destination) };
  }

  /** Works on the layer's own directory while overlayfs does not look. */
  async #beside(target: Extract<Place, { active: ActiveId }>, work: (layer: string) => Promise<void>): Promise<void> {
    const { snapshots, views } = this.#services;
    target.view[Symbol.dispose]();
    await work(snapshots.activeDirectory(target.active));
    target.view = this.#undo.use(views.openActive(target.active));
  }

  /** The tree that is copied from: a layer of this op, a mounted view of an input, or a directory read in place. */
  async #withSource(
    index: number,
    work: (
      root: string,
      filter: { include: readonly string[]; exclude: readonly string[] } | undefined,
    ) => Promise<void>,
  ): Promise<void> {
    const place = index < 0 ? undefined : this.#places[index];
    if (place && 'active' in place) return work(place.view.path, undefined);
    const ref = this.#inputs[index];
    if (index >= 0 && !ref) throw invalidArgument(`cannot copy from input ${index}: there is none`);
    if (ref?.kind === 'directory') return work(ref.path, { include: ref.include, exclude: ref.exclude });
    using view = this.#services.views.open(ref ? await stackOf(ref, this.#context.signal) : emptyStack);
    return await work(view.path, undefined);
  }

  #commit(index: number): Handle<Ref> {
    const place = this.#places[index];
    if (!place || !('active' in place)) throw invalidArgument('cannot take an output of a file op twice');
    const { snapshots } = this.#services;
    place.view[Symbol.dispose]();
    const layer = snapshots.commit(place.active);
    this.#services.copyRecords.committed(place.active, layer);
    const stack = [...place.stack, layer];
    this.#places[index] = { stack };
    return holdRef(snapshots, { kind: 'layers', stack });
  }
}

/** -1 leaves times as they are. Nanoseconds. */
function timeOf(timestamp: bigint): bigint | undefined {
  return timestamp < 0n ? undefined : timestamp;
}

/** A whole directory, which is worth a mount to be written fast. */
function copiesTree(root: string, selection: Selection, copy: FileActionCopy): boolean {
  if (!copy.dirCopyContents || !copy.createDestPath || hasWildcard(selection.path)) return false;
  return lstatOf(resolveTreePath(root, selection.path, true))?.isDirectory() === true;
}
