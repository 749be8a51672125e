import type { ArgInstruction, Dockerfile, SourceRange } from '../dockerfile/instruction.ts';
import { expandWord } from '../dockerfile/shell-word.ts';
import { formatPlatformInFull, type Platform } from '../oci/platform.ts';
import type { BuildOptions } from './build-options.ts';
import type { OutlineArg } from './stage-outline.ts';

export interface GlobalScope {
  readonly values: ReadonlyMap<string, string>;
  /** The args that the file declares before its first FROM. */
  readonly declared: ReadonlyMap<string, OutlineArg>;
}

/** Args before the first FROM with their values, and those that are there by themselves (reference dockerfile.md §4). */
export function globalScope(
  dockerfile: Dockerfile,
  options: BuildOptions,
  platform: Platform,
  locate: (error: unknown, range: SourceRange) => unknown,
): GlobalScope {
  const values = platformArgs(options, platform, options.target ?? dockerfile.stages.at(-1)?.from.stageName);
  const declared = new Map<string, OutlineArg>();
  for (const instruction of dockerfile.globalArgs) {
    try {
      for (const arg of instruction.args) {
        const { value, uses } = argValue(arg, values, options, dockerfile.escape);
        if (uses.delete(arg.key)) for (const key of declared.get(arg.key)?.uses ?? []) uses.add(key);
        if (value !== undefined) values.set(arg.key, value);
        const { key, description } = arg;
        declared.set(key, { key, value: value ?? '', description, range: instruction.range, uses });
      }
    } catch (error) {
      throw locate(error, instruction.range);
    }
  }
  return { values, declared };
}

function argValue(
  { key, value }: ArgInstruction['args'][number],
  scope: ReadonlyMap<string, string>,
  { buildArgs }: BuildOptions,
  escapeChar: '\\' | '`',
): { readonly value: string | undefined; readonly uses: Set<string> } {
  const given = buildArgs.get(key);
  if (given !== undefined || value === undefined) return { value: given, uses: new Set() };
  const { result, matched } = expandWord(value, scope, { escape: escapeChar });
  return { value: result, uses: new Set(matched) };
}

/** BUILDPLATFORM, TARGETARCH and so on: they are there without being declared in front of the first FROM. */
export function platformArgs(
  options: BuildOptions,
  platform: Platform,
  target: string | undefined,
): Map<string, string> {
  const describe = (prefix: string, { os, architecture, ...more }: Platform): [string, string][] => [
    [`${prefix}PLATFORM`, formatPlatformInFull({ os, architecture, ...more })],
    [`${prefix}OS`, os],
    [`${prefix}OSVERSION`, more['os.version'] ?? ''],
    [`${prefix}ARCH`, architecture],
    [`${prefix}VARIANT`, more.variant ?? ''],
  ];
  const all = [
    ...describe('BUILD', options.buildPlatform),
    ...describe('TARGET', platform),
    ['TARGETSTAGE', target || 'default'] as const,
  ];
  return new Map(all.map(([key, value]) => [key, options.buildArgs.get(key) ?? value]));
}
