import { invalidArgument } from '../base/errors.ts';

/** image-spec image-index.md, `platform`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
}

const knownSystems = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasi wasip1 windows zos'.split(
    ' ',
  ),
);
const knownArchitectures = new Set(
  '386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm'.split(
    ' ',
  ),
);

/** The platform of this process in image-spec's words. */
export function hostPlatform(): Platform {
  const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', loong64: 'loong64' };
  return normalizePlatform({
    os: process.platform === 'win32' ? 'windows' : process.platform,
    architecture: architectures[process.arch] ?? process.arch,
  });
}

/**
 * Reads `os`, `arch`, `os/arch` or `os/arch/variant`, with `os(version)` for Windows; what is left out comes from `host`.
 * The answer is normalised. Rules as containerd's platforms.Parse.
 */
export function parsePlatform(text: string, host: Platform = hostPlatform()): Platform {
  const parts = text.split('/');
  const [first = '', architecture, variant] = parts;
  const { os, version } = splitVersion(first);
  if (parts.length > 3 || [os, ...parts.slice(1)].some((part) => !/^[A-Za-z0-9_.-]+$/.test(part))) {
    throw platformError(text, 'want os/arch or os/arch/variant, such as linux/arm64');
  }
  if (architecture !== undefined) {
    return normalizePlatform({ os, architecture, ...optional('variant', variant), ...optional('os.version', version) });
  }
  const system = normalizeSystem(os);
  if (knownSystems.has(system)) {
    return normalizePlatform({ ...host, os: system, ...optional('os.version', version) });
  }
  const guess = normalizePlatform({ os: host.os, architecture: os });
  if (knownArchitectures.has(guess.architecture)) return guess;
  throw platformError(text, 'it is neither a known operating system nor a known architecture');
}

function platformError(text: string, why: string): Error {
  return invalidArgument(`cannot use ${JSON.stringify(text.slice(0, 100))} as a platform: ${why}`);
}

function splitVersion(text: string): { os: string; version: string | undefined } {
  const found = /^([^()]*)\(([A-Za-z0-9_.+-]*)\)$/.exec(text);
  return found ? { os: found[1] ?? '', version: found[2] } : { os: text, version: undefined };
}

function optional<K extends string>(key: K, value: string | undefined): { [P in K]?: string } {
  return value ? ({ [key]: value } as { [P in K]?: string }) : {};
}

function normalizeSystem(os: string): string {
  const lower = os.toLowerCase();
  return lower === 'macos' ? 'darwin' : lower;
}

/** Aliases to their usual names: aarch64 → arm64, arm64/v8 → arm64, amd64/v1 → amd64, arm → arm/v7, armel → arm/v6. */
export function normalizePlatform(platform: Platform): Platform {
  const { architecture, variant } = normalizeArchitecture(
    platform.architecture.toLowerCase(),
    (platform.variant ?? '').toLowerCase(),
  );
  const features = platform['os.features'];
  return {
    os: normalizeSystem(platform.os),
    architecture,
    ...optional('variant', variant),
    ...optional('os.version', platform['os.version']),
    ...(features && features.length > 0 ? { 'os.features': [...features] } : {}),
  };
}

function normalizeArchitecture(architecture: string, variant: string): { architecture: string; variant: string } {
  switch (architecture) {
    case 'i386':
      return { architecture: '386', variant: '' };
    case 'x86_64':
    case 'x86-64':
    case 'amd64':
      return { architecture: 'amd64', variant: variant === 'v1' ? '' : variant };
    case 'aarch64':
    case 'arm64':
      return { architecture: 'arm64', variant: variant === '8' || variant === 'v8' ? '' : variant };
    case 'armhf':
      return { architecture: 'arm', variant: 'v7' };
    case 'armel':
      return { architecture: 'arm', variant: 'v6' };
    case 'arm':
      if (variant === '') return { architecture, variant: 'v7' };
      return { architecture, variant: /^[5-8]$/.test(variant) ? `v${variant}` : variant };
    default:
      return { architecture, variant };
  }
}

/** `os/arch` or `os/arch/variant`, of the normalised platform. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = normalizePlatform(platform);
  return [os || 'unknown', architecture || 'unknown', ...(variant ? [variant] : [])].join('/');
}

/** The same with the version and features of the system: `windows(10.0.17763)/amd64`. */
export function formatPlatformInFull(platform: Platform): string {
  const { os, 'os.version': version = '', 'os.features': features = [] } = normalizePlatform(platform);
  const system = [version, ...features].join('+');
  const plain = formatPlatform(platform);
  return system === '' ? plain : `${os}(${system})${plain.slice(os.length)}`;
}

/**
 * What a machine of the wanted platform can run, best first: the platform itself, then its older variants, then the 32-bit
 * ones. Order as containerd's platforms.Only.
 */
export function runnablePlatforms(want: Platform): readonly Platform[] {
  const { os, architecture, variant = '' } = normalizePlatform(want);
  const of = (name: string, ...variants: string[]): Platform[] =>
    variants.map((each) => ({ os, architecture: name, ...optional('variant', each) }));
  switch (architecture) {
    case 'amd64': {
      const level = /^v([2-9])$/.exec(variant)?.[1];
      const levels = level ? downFrom(Number(level), 2) : variant ? [variant] : [];
      return [...of('amd64', ...levels, ''), ...of('386', '')];
    }
    case 'arm64':
      return [...(variant ? of('arm64', variant) : []), ...of('arm64', ''), ...of('arm', 'v8', 'v7', 'v6', 'v5')];
    case 'arm': {
      const level = /^v([5-8])$/.exec(variant)?.[1];
      return of('arm', ...(level ? downFrom(Number(level), 5) : [variant]));
    }
    default:
      return of(architecture, variant);
  }
}

function downFrom(level: number, lowest: number): string[] {
  return Array.from({ length: level - lowest + 1 }, (_, index) => `v${level - index}`);
}

/** Equality of os, architecture and variant after normalising. */
export function samePlatform(a: Platform, b: Platform): boolean {
  return formatPlatform(a) === formatPlatform(b);
}

/** How well a platform serves the wanted one: 0 is best, undefined means that it cannot run there. */
export function rankPlatform(want: Platform, candidate: Platform): number | undefined {
  const name = formatPlatform(candidate);
  const rank = runnablePlatforms(want).findIndex((each) => formatPlatform(each) === name);
  return rank < 0 ? undefined : rank;
}

/** The best of the candidates for the wanted platform, of equals one for the very version of the system, else the first. */
export function choosePlatform<T>(
  want: Platform,
  candidates: readonly T[],
  platformOf: (candidate: T) => Platform | undefined,
): T | undefined {
  let best: { candidate: T; rank: number } | undefined;
  for (const candidate of candidates) {
    const platform = platformOf(candidate);
    const family = platform && rankPlatform(want, platform);
    if (family === undefined) continue;
    const rank = 2 * family + (platform?.['os.version'] === want['os.version'] ? 0 : 1);
    if (!best || rank < best.rank) best = { candidate, rank };
  }
  return best?.candidate;
}
