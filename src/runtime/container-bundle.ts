import {
  closeSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { invalidArgument, SlipwayError } from '../base/errors.ts';
import type { Mount } from '../kernel/mount.ts';
import { mountAll, setPropagation } from '../kernel/mounting.ts';
import { openFlags, openInRoot } from '../kernel/open-in-root.ts';
import { bind, cString } from '../kernel/system-call.ts';
import { makePath, openMountTarget, removeStubs, type Stub } from './mount-target.ts';
import { nameFiles } from './name-files.ts';
import type { ContainerMount, ContainerSpec } from './runtime.ts';
import { ociConfig, type SpecPlace } from './spec.ts';

/** Where `filtersDevices` is false, device files of images and volumes are made useless by `nodev`. */
export type BundleOptions = Pick<SpecPlace, 'cgroupsPath' | 'filtersDevices' | 'annotationsFor'>;

/**
 * A container's bundle on disk (OCI runtime-spec, bundle.md):
 *
 *     <id>/
 *       config.json  log.json  pid  console
 *       files/       hosts, hostname, resolv.conf
 *       rootfs/      the root file system with the container's mounts, as the runtime takes it
 *       view/        the root file system alone, where stubs are taken away afterwards
 *       sources/<n>  what a mount shows, before a part of it is chosen
 *
 * The mounts are made here and not by the runtime: targets and selectors are resolved once, by descriptors, and the runtime
 * only carries the finished tree over.
 */
export class ContainerBundle {
  readonly path: string;
  readonly #stubs: Stub[] = [];
  readonly #lateMounts: (Mount & { readonly target: string })[] = [];
  #sources = 0;
  #noDevices = false;
  #hasView = false;

  /** Mounts everything and writes config.json; when that fails nothing is left. */
  constructor(path: string, spec: ContainerSpec, options: BundleOptions) {
    this.path = path;
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (cause) {
      throw new SlipwayError('already-exists', `cannot start container "${spec.id}": its bundle exists already`, {
        cause,
      });
    }
    try {
      this.#noDevices = !options.filtersDevices && !spec.privileged;
      this.#mountRoot(spec);
      this.#writeNameFiles(spec);
      for (const mount of spec.mounts) this.#mount(mount);
      const cwd = this.#checkCwd(spec.cwd);
      const place = { ...options, rootfs: this.rootfs, lateMounts: this.#lateMounts };
      writeFileSync(join(path, 'config.json'), JSON.stringify(ociConfig({ ...spec, cwd }, place)));
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  get rootfs(): string {
    return join(this.path, 'rootfs');
  }

  get pidFile(): string {
    return join(this.path, 'pid');
  }

  get logFile(): string {
    return join(this.path, 'log.json');
  }

  get consoleSocket(): string {
    return join(this.path, 'console');
  }

  #mountRoot(spec: ContainerSpec): void {
    const view = join(this.path, 'view');
    for (const name of [this.rootfs, view, join(this.path, 'sources'), join(this.path, 'files')]) mkdirSync(name);
    mountAll(spec.rootfs, this.rootfs);
    if (this.#noDevices) mountAll([{ type: 'bind', source: this.rootfs, options: ['bind', 'nodev'] }], this.rootfs);
    setPropagation(this.rootfs, 'rprivate');
    mountAll([{ type: 'bind', source: this.rootfs, options: ['bind'] }], view);
    this.#hasView = true;
    setPropagation(view, 'rprivate');
    for (const name of ['proc', 'dev', 'sys']) {
      // A runtime that follows a symlink here mounts over the host (CVE-2019-19921).
      if (lstatSync(join(this.rootfs, name), { throwIfNoEntry: false })?.isSymbolicLink()) {
        throw invalidArgument(`cannot start container "${spec.id}": "/${name}" of its image is a symbolic link`);
      }
      closeSync(openMountTarget(this.rootfs, `/${name}`, 'directory', this.#stubs));
    }
  }

  #writeNameFiles(spec: ContainerSpec): void {
    const own = new Set(spec.mounts.map(({ target }) => target));
    for (const [target, text] of Object.entries(nameFiles(spec))) {
      if (own.has(target)) continue;
      const source = join(this.path, 'files', target.slice('/etc/'.length));
      writeFileSync(source, text, { mode: 0o644 });
      this.#attach(source, target, 'file');
    }
  }

  #mount({ target, selector, ...mount }: ContainerMount): void {
    if (!target.startsWith('/')) throw invalidArgument(`cannot mount at "${target}": want an absolute path`);
    // The runtime's own mounts there would hide what is mounted before them.
    const late = /^\/+(dev|proc|sys)\/+[^/]/.test(target);
    if (mount.type !== 'bind' && selector === undefined) {
      if (late) this.#lateMounts.push({ target, ...mount });
      else this.#attachNew(mount, target);
      return;
    }
    const { source, fd, kind } = this.#openSource(mount, selector);
    try {
      if (late) this.#lateMounts.push({ type: 'bind', source: this.#pin(fd, kind), options: ['rbind'], target });
      else this.#attach(source, target, kind);
    } finally {
      closeSync(fd);
    }
  }

  /** Mounts the source aside with all its options, and holds the part that is meant: others may change the tree meanwhile (CVE-2024-23651). */
  #openSource(mount: Mount, selector: string | undefined): { source: string; fd: number; kind: 'directory' | 'file' } {
    const isFile = mount.type === 'bind' && !statSync(mount.source).isDirectory();
    const aside = this.#newSource(isFile ? 'file' : 'directory');
    mountAll([this.#withoutDevices(mount)], aside);
    setPropagation(aside, 'rprivate');
    const path = selector ?? '/';
    let fd: number;
    try {
      fd = isFile
        ? openInRoot(this.path, aside.slice(this.path.length), openFlags.path)
        : openInRoot(aside, path, openFlags.path);
    } catch (cause) {
      throw new SlipwayError('not-found', `cannot mount "${path}": it is not in the mount's source`, { cause });
    }
    const source = `/proc/self/fd/${fd}`;
    return { source, fd, kind: statSync(source).isDirectory() ? 'directory' : 'file' };
  }

  #withoutDevices(mount: Mount): Mount {
    return this.#noDevices ? { ...mount, options: [...mount.options, 'nodev'] } : mount;
  }

  #newSource(kind: 'directory' | 'file'): string {
    const path = join(this.path, 'sources', `${this.#sources++}`);
    if (kind === 'directory') mkdirSync(path);
    else writeFileSync(path, '');
    return path;
  }

  /** Gives an open file a name of ours that no container can change. */
  #pin(fd: number, kind: 'directory' | 'file'): string {
    const path = this.#newSource(kind);
    mountAll([{ type: 'bind', source: `/proc/self/fd/${fd}`, options: ['rbind'] }], path);
    return path;
  }

  #attach(source: string, target: string, kind: 'directory' | 'file'): void {
    this.#over(target, kind, (path) => mountAll([{ type: 'bind', source, options: ['rbind'] }], path));
  }

  #attachNew(mount: Mount, target: string): void {
    this.#over(target, 'directory', (path) => mountAll([this.#withoutDevices(mount)], path));
  }

  #over(target: string, kind: 'directory' | 'file', mount: (path: string) => void): void {
    const fd = openMountTarget(this.rootfs, target, kind, this.#stubs);
    try {
      mount(`/proc/self/fd/${fd}`);
    } finally {
      closeSync(fd);
    }
  }

  /** Makes the working directory, and refuses one that would lead to an open descriptor of the runtime (CVE-2024-21626). */
  #checkCwd(cwd: string): string {
    if (!cwd.startsWith('/')) throw invalidArgument(`cannot work in "${cwd}": want an absolute path`);
    const resolved = makePath(this.rootfs, cwd, 'directory', []);
    if (/^\/proc(\/|$)/.test(resolved)) {
      throw invalidArgument(`cannot work in "${cwd}": a working directory inside /proc is refused`);
    }
    return resolved;
  }

  /** Takes away the mounts, what was made only to be mounted on, and the bundle itself. */
  remove(): void {
    unmountAll(this.rootfs);
    const view = join(this.path, 'view');
    if (this.#hasView && this.#stubs.length > 0) removeStubs(view, this.#stubs);
    removeBundle(this.path);
  }
}

const umount2 = bind('int umount2(const void *target, int flags)');
const detach = 2;
const noFollow = 8;

/** Every mount stacked on a path of ours, with what is mounted below it. */
function unmountAll(path: string): void {
  while (umount2(cString(path), detach | noFollow) === 0);
}

/**
 * Removes a bundle, also one that an earlier daemon left. Nothing is removed recursively below a mount point: where a mount
 * stays on, the directory does too.
 */
export function removeBundle(path: string): void {
  const sources = join(path, 'sources');
  const points = [join(path, 'rootfs'), join(path, 'view')];
  try {
    points.push(...readdirSync(sources).map((name) => join(sources, name)));
  } catch {}
  for (const point of points) {
    unmountAll(point);
    const found = lstatSync(point, { throwIfNoEntry: false });
    if (found?.isDirectory()) rmdirSync(point);
    else if (found) unlinkSync(point);
  }
  if (lstatSync(sources, { throwIfNoEntry: false })) rmdirSync(sources);
  rmSync(path, { recursive: true, force: true });
}
