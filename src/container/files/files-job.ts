import type { Mount } from '../../kernel/mount.ts';
import type { ContainerMount } from '../../runtime/runtime.ts';

/** What the thread shows itself as its root before it works. */
export type FilesView =
  /** As a running container's process sees it. */
  | { readonly kind: 'process'; readonly pid: number }
  /** Mounts over an empty directory; `more` are the container's own, over their targets in it. */
  | {
      readonly kind: 'mounts';
      readonly place: string;
      readonly rootfs: readonly Mount[];
      readonly more: readonly ContainerMount[];
    }
  /** A layer's own directory as `/upper`, and what it stands on as `/lower`. */
  | { readonly kind: 'layer'; readonly place: string; readonly upper: string; readonly lower: readonly Mount[] };

export type FilesTask =
  | { readonly kind: 'stat'; readonly path: string }
  /** `docker cp` from a container: what a path names, as a tar. */
  | { readonly kind: 'read'; readonly path: string }
  /** `docker cp` into one: a tar below a directory. */
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly owner: { readonly uid: number; readonly gid: number } | undefined;
      /** A file does not take the place of a directory, nor the other way round. */
      readonly keepKinds: boolean;
    }
  /** The whole root as a tar. */
  | { readonly kind: 'export' }
  /** The layer as a changeset's tar. */
  | { readonly kind: 'changeset'; readonly stubs: readonly string[] }
  /** What the layer changes. */
  | { readonly kind: 'changes'; readonly stubs: readonly string[] };

export interface FilesJob {
  readonly view: FilesView;
  readonly task: FilesTask;
  /** One Int32: the pieces that were sent and not yet consumed. */
  readonly pending: SharedArrayBuffer;
  readonly mostPending: number;
}

/** What is known of one path, as the API's header tells it. */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** Go's os.FileMode. */
  readonly mode: number;
  readonly mtime: string;
  /** Where a symlink leads in the end, from the container's root. */
  readonly linkTarget: string;
}

export type ChangeKind = 'modified' | 'added' | 'deleted';

export interface FileChange {
  readonly path: string;
  readonly kind: ChangeKind;
}

export type FilesMessage =
  | { readonly kind: 'stat'; readonly stat: PathStat }
  | { readonly kind: 'changes'; readonly changes: readonly FileChange[] }
  | { readonly kind: 'piece'; readonly bytes: Uint8Array }
  /** A piece that was sent to the thread has been taken. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'end' }
  | {
      readonly kind: 'error';
      readonly code: string | undefined;
      readonly message: string;
      readonly hint: string | undefined;
    };

/** What is sent to the thread: the next piece of the archive, or that there is no more. */
export type FilesInput = Uint8Array | 'end';
