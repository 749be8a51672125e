import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { mountAll, unmount } from '../kernel/mounting.ts';
import type { ActiveId, Snapshots, Stack } from '../snapshot/snapshots.ts';

/** A mounted tree; dispose it to let it go. */
export interface View extends Disposable {
  readonly path: string;
}

/** Mounts stacks and active layers at places of their own below `directory`. Equal stacks share one read-only mount. */
export class Views {
  readonly #snapshots: Snapshots;
  readonly #directory: string;
  readonly #shared = new Map<string, { readonly path: string; users: number }>();
  #count = 0;

  constructor(snapshots: Snapshots, directory: string) {
    this.#snapshots = snapshots;
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** The stack, read-only. */
  open(stack: Stack): View {
    const name = stack.join(' ');
    let shared = this.#shared.get(name);
    if (!shared) {
      shared = { path: this.#mount(this.#snapshots.viewMounts(stack)), users: 0 };
      this.#shared.set(name, shared);
    }
    const { path } = shared;
    shared.users++;
    const held = this.#snapshots.hold(stack);
    return this.#once(path, () => {
      held[Symbol.dispose]();
      if (shared && --shared.users > 0) return;
      this.#shared.delete(name);
      this.#unmount(path);
    });
  }

  /** An active layer over its stack, writable. */
  openActive(active: ActiveId): View {
    const path = this.#mount(this.#snapshots.activeMounts(active));
    return this.#once(path, () => this.#unmount(path));
  }

  #once(path: string, end: () => void): View {
    let open = true;
    return {
      path,
      [Symbol.dispose]: () => {
        if (open) end();
        open = false;
      },
    };
  }

  #mount(mounts: Parameters<typeof mountAll>[0]): string {
    const path = join(this.#directory, `${++this.#count}`);
    mkdirSync(path, { mode: 0o700 });
    try {
      mountAll(mounts, path);
    } catch (error) {
      rmdirSync(path);
      throw error;
    }
    return path;
  }

  #unmount(path: string): void {
    unmount(path);
    rmdirSync(path);
  }
}
