import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { invalidArgument } from '../base/errors.ts';
import { mountAll, unmount } from '../kernel/mounting.ts';
import { formatPlatformInFull } from '../oci/platform.ts';
import type { Stack } from '../snapshot/snapshots.ts';
import { attestationsFor } from './attest-image.ts';
import { type AttestationFile, attestationFiles } from './attestation-files.ts';
import { epochOf, flag } from './export-attrs.ts';
import type { ExportRequest, ExportServices, ExportTarget } from './exporter.ts';

/** The files of all targets under one path, with what is said of them beside them, until disposed. */
export class MountedTargets implements AsyncDisposable {
  readonly path: string;
  /** Each platform has a directory of its own. */
  readonly split: boolean;
  /** All files' time, for SOURCE_DATE_EPOCH. Nanoseconds since 1970. */
  readonly time: bigint | undefined;
  readonly #services: ExportServices;
  readonly #request: ExportRequest;
  readonly #undo = new AsyncDisposableStack();

  private constructor(services: ExportServices, request: ExportRequest) {
    const { targets, attrs } = request;
    this.#services = services;
    this.#request = request;
    this.split = flag(
      attrs,
      'platform-split',
      targets.some(({ platformId }) => platformId !== ''),
    );
    const epoch = epochOf(attrs, targets[0]?.epoch);
    this.time = epoch === undefined ? undefined : BigInt(epoch) * 1_000_000_000n;
    this.path = mkdtempSync(join(services.runDirectory, 'export-'));
    this.#undo.defer(() => rmSync(this.path, { recursive: true, force: true }));
  }

  static async open(services: ExportServices, request: ExportRequest): Promise<MountedTargets> {
    const tree = new MountedTargets(services, request);
    try {
      await (tree.split ? tree.#mountEach() : tree.#mountTogether());
      return tree;
    } catch (error) {
      await tree[Symbol.asyncDispose]();
      throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#undo.disposeAsync();
  }

  async #mountEach(): Promise<void> {
    for (const target of this.#request.targets) {
      const place = join(this.path, directoryName(target));
      mkdirSync(place);
      this.#mount(target.stack, await this.#attestations(target, ''), place);
    }
  }

  /** Nothing may be there twice: one platform's files would hide another's. */
  async #mountTogether(): Promise<void> {
    const { targets } = this.#request;
    const owners = new Map<string, string>();
    const files: AttestationFile[] = [];
    for (const target of targets) {
      if (targets.length > 1) await this.#claim(target, owners);
      const infix = target.platformId === '' ? '' : `.${directoryName(target)}`;
      files.push(...(await this.#attestations(target, infix)));
    }
    this.#mount(
      targets.flatMap(({ stack }) => stack),
      files,
      this.path,
    );
  }

  async #claim(target: ExportTarget, owners: Map<string, string>): Promise<void> {
    const names = await this.#viewed(target.stack, (root) => this.#services.bulk.run('listNames', root));
    for (const name of names) {
      const owner = owners.get(name);
      if (owner !== undefined)
        throw invalidArgument(
          `cannot overwrite ${name} from ${owner} with ${target.platformId} when split option is disabled`,
          { hint: 'leave out platform-split=false' },
        );
      owners.set(name, target.platformId);
    }
  }

  async #attestations(target: ExportTarget, infix: string): Promise<AttestationFile[]> {
    const attestations = attestationsFor(target.attestations, false);
    if (attestations.length === 0) return [];
    const files = await this.#viewed(target.stack, (root) => this.#services.bulk.run('digestFiles', root));
    const prefix = this.#request.attrs.get('attestation-prefix') ?? '';
    return attestationFiles(attestations, files, (name) => prefix + withInfix(name, infix));
  }

  async #viewed<T>(stack: Stack, work: (root: string) => Promise<T>): Promise<T> {
    const place = mkdtempSync(join(this.#services.runDirectory, 'view-'));
    mountAll(this.#services.snapshots.viewMounts(stack), place);
    try {
      return await work(place);
    } finally {
      unmount(place);
      rmSync(place, { recursive: true, force: true });
    }
  }

  #mount(stack: Stack, files: readonly AttestationFile[], place: string): void {
    const { snapshots } = this.#services;
    if (files.length === 0) {
      mountAll(snapshots.viewMounts(stack), place);
    } else {
      const active = snapshots.prepare(stack);
      this.#undo.defer(() => snapshots.discard(active));
      for (const { name, bytes } of files) this.#write(join(snapshots.activeDirectory(active), name), bytes);
      mountAll(snapshots.activeMounts(active), place);
    }
    this.#undo.defer(() => unmount(place));
  }

  #write(path: string, bytes: Uint8Array): void {
    writeFileSync(path, bytes, { mode: 0o600, flag: 'wx' });
    const seconds = Math.floor(Date.now() / 1000);
    utimesSync(path, seconds, seconds);
  }
}

/** `linux/arm/v7` → `linux_arm_v7`, as the result's platforms are named. */
function directoryName({ platform }: ExportTarget): string {
  return formatPlatformInFull(platform).replaceAll('/', '_');
}

/** `provenance.json` → `provenance.linux_arm64.json` */
function withInfix(name: string, infix: string): string {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? name + infix : name.slice(0, dot) + infix + name.slice(dot);
}
