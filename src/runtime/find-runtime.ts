import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage, SlipwayError } from '../base/errors.ts';
import { grantableCapabilities } from './capabilities.ts';

export type RuntimeName = 'crun' | 'runc';

export interface RuntimeBinary {
  readonly name: RuntimeName;
  readonly path: string;
  readonly version: string;
  /** What is put before the binary and its arguments, for the view of cgroups that it needs. */
  readonly wrapper: readonly string[];
  /** Whether it can keep a container from the host's devices by its cgroup. */
  readonly filtersDevices: boolean;
}

export interface ChosenRuntime {
  readonly main: RuntimeBinary;
  /** For containers with limits; undefined when no runtime here can limit. */
  readonly limiting: RuntimeBinary | undefined;
  readonly reason: string;
  readonly warnings: readonly string[];
}

/** How a host arranges its cgroups. In `hybrid` the controllers are shared out between v1 and v2. */
export type CgroupLayout = 'v1' | 'hybrid' | 'v2';

export function cgroupLayout(directory = '/sys/fs/cgroup'): CgroupLayout {
  if (existsSync(join(directory, 'cgroup.controllers'))) return 'v2';
  try {
    return readFileSync(join(directory, 'unified/cgroup.controllers'), 'utf8').trim() === '' ? 'v1' : 'hybrid';
  } catch {
    return 'v1';
  }
}

/**
 * crun refuses hybrid hosts. In a mount namespace where cgroup2 lies over the mixed tree it works, but the controllers
 * that v1 holds are out of its reach.
 */
const onlyCgroup2 = ['unshare', '--mount', 'sh', '-c', 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"', 'sh'];

export interface FindOptions {
  /** Takes this one, whether by choice of a person or of a test. */
  readonly only?: RuntimeName | undefined;
  readonly path?: string | undefined;
  readonly layout?: CgroupLayout | undefined;
}

/** Chooses between the runtimes of this host; throws failed-precondition, with the way out, when there is none. */
export function findRuntime({
  only,
  path = process.env.PATH ?? '',
  layout = cgroupLayout(),
}: FindOptions = {}): ChosenRuntime {
  const crun = only === 'runc' ? undefined : binaryOf('crun', path, layout);
  const runc = only === 'crun' ? undefined : binaryOf('runc', path, layout);
  const main = crun ?? runc;
  if (!main) {
    throw new SlipwayError(
      'failed-precondition',
      `cannot run containers: found no ${only ?? 'crun or runc'} in "${path}"`,
      {
        hint: `install one, for example with: apt-get install ${only ?? 'crun'}`,
      },
    );
  }
  const limiting = layout === 'hybrid' ? runc : main;
  const warnings = [crun, runc].flatMap((binary) => (binary ? missingFixes(binary) : []));
  if (!main.filtersDevices)
    warnings.push('containers cannot make devices: crun lacks CAP_SYS_RESOURCE to filter their use');
  if (!limiting) warnings.push('limits of memory, cpu and processes need runc on this host: its cgroups are hybrid');
  return { main, limiting, reason: reasonOf(main, limiting, only), warnings };
}

function reasonOf(main: RuntimeBinary, limiting: RuntimeBinary | undefined, only: RuntimeName | undefined): string {
  if (only) return `${main.name} was asked for`;
  if (main.name === 'runc') return 'crun is not installed';
  if (main.wrapper.length === 0) return 'crun starts faster than runc';
  const other = limiting ? 'runc takes containers with limits' : 'containers with limits cannot run';
  return `crun starts faster than runc; cgroups are hybrid here, so it sees cgroup2 alone and ${other}`;
}

function binaryOf(name: RuntimeName, searchPath: string, layout: CgroupLayout): RuntimeBinary | undefined {
  for (const directory of searchPath.split(':')) {
    const path = join(directory, name);
    if (directory === '' || !isExecutable(path)) continue;
    // crun raises a limit before it loads its filter for cgroup2, and gives up when it may not.
    const filtersDevices = name === 'runc' || layout === 'v1' || grantableCapabilities().includes('CAP_SYS_RESOURCE');
    const wrapper = name === 'crun' && layout === 'hybrid' ? onlyCgroup2 : [];
    return { name, path, version: versionOf(path), wrapper, filtersDevices };
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function versionOf(path: string): string {
  try {
    const text = execFileSync(path, ['--version'], {
      encoding: 'utf8',
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return /version (\S+)/.exec(text)?.[1] ?? 'unknown';
  } catch (error) {
    return `unknown (${errorMessage(error)})`;
  }
}

/** First versions with the fixes of November 2025: CVE-2025-31133, CVE-2025-52565, CVE-2025-52881. */
function missingFixes({ name, path, version }: RuntimeBinary): string[] {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.+~-]/).map((part) => Number.parseInt(part, 10) || 0);
  const fixed =
    name === 'crun'
      ? major > 1 || minor >= 25
      : major > 1 || minor >= 4 || (minor === 3 && patch >= 3) || (minor === 2 && patch >= 8);
  if (fixed) return [];
  return [
    `${path} ${version} may lack the fixes for CVE-2025-31133, CVE-2025-52565 and CVE-2025-52881: update ${name}`,
  ];
}
