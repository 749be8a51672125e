import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SpawnerClient } from './spawner-client.ts';

/** crun takes a finished filter from here instead of compiling the profile, which is most of a start's time (crun.1.md, annotations). */
const annotation = 'run.oci.seccomp_bpf_data';
const instructionSize = 8;

/**
 * Compiled filters by their profile. A version of crun that does not know the annotation finds the profile in the config and
 * compiles it itself, as it does until a filter is known.
 */
export class SeccompCache {
  readonly #filters = new Map<string, string | undefined>();
  readonly #directory: string;
  readonly #spawner: SpawnerClient;
  readonly #command: readonly string[];
  readonly #state: string;
  #last: Promise<void> = Promise.resolve();

  /** `command` is crun's command line with its `--root`, which is `state`. */
  constructor(directory: string, spawner: SpawnerClient, command: readonly string[], state: string) {
    this.#directory = directory;
    this.#spawner = spawner;
    this.#command = command;
    this.#state = state;
  }

  /** Annotations for config.json; the first question about a profile gets none, and lets it be compiled meanwhile. */
  annotationsFor(profile: object | undefined): Readonly<Record<string, string>> | undefined {
    if (!profile) return undefined;
    const key = JSON.stringify(profile);
    if (!this.#filters.has(key)) {
      this.#filters.set(key, undefined);
      this.#last = this.#last.then(() => this.#compile(key, profile)).catch(() => {});
    }
    const filter = this.#filters.get(key);
    return filter === undefined ? undefined : { [annotation]: filter };
  }

  /** Resolves when no filter is being compiled. */
  async settled(): Promise<void> {
    await this.#last;
  }

  /** A container that is made but never started has its filter among its state. */
  async #compile(key: string, seccomp: object): Promise<void> {
    const id = 'slipway-seccomp';
    rmSync(this.#directory, { recursive: true, force: true });
    for (const name of ['dev', 'proc'])
      mkdirSync(join(this.#directory, 'rootfs', name), { recursive: true, mode: 0o700 });
    writeFileSync(join(this.#directory, 'rootfs/init'), '', { mode: 0o755 });
    writeFileSync(
      join(this.#directory, 'config.json'),
      JSON.stringify(bareConfig(join(this.#directory, 'rootfs'), seccomp)),
    );
    try {
      const words = [this.#directory, join(this.#state, id), id, ...this.#command];
      await this.#spawner.command(['sh', '-c', compileScript, 'sh', ...words]);
      const filter = readFileSync(join(this.#directory, 'filter'));
      if (filter.length > 0 && filter.length % instructionSize === 0) this.#filters.set(key, filter.toString('base64'));
    } finally {
      rmSync(this.#directory, { recursive: true, force: true });
    }
  }
}

/** One command, so that it comes to its end even when the daemon does meanwhile. */
const compileScript = `
  bundle=$1 state=$2 id=$3; shift 3
  "$@" create --bundle "$bundle" "$id" && cp "$state/seccomp.bpf" "$bundle/filter"
  "$@" delete --force "$id"
`;

function bareConfig(rootfs: string, seccomp: object): object {
  return {
    ociVersion: '1.0.2',
    root: { path: rootfs },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
    ],
    process: { args: ['/init'], cwd: '/', env: [], user: { uid: 0, gid: 0 }, noNewPrivileges: true },
    linux: { cgroupsPath: '/slipway/seccomp', namespaces: [{ type: 'pid' }, { type: 'mount' }], seccomp },
  };
}
