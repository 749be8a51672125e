import type { ArgInstruction } from '../dockerfile/instruction.ts';
import { expandWord } from '../dockerfile/shell-word.ts';
import { formatPlatform, type Platform } from '../oci/platform.ts';
import type { BuildOptions } from './build-options.ts';

/** Args before the first FROM with their values, and those that are there by themselves (reference dockerfile.md §4). */
export function globalScope(
  args: readonly ArgInstruction[],
  options: BuildOptions,
  platform: Platform,
  escapeChar: '\\' | '`',
): Map<string, string> {
  const scope = platformArgs(options, platform);
  for (const instruction of args) {
    for (const { key, value } of instruction.args) {
      const given = options.buildArgs.get(key);
      const chosen =
        given ?? (value === undefined ? undefined : expandWord(value, scope, { escape: escapeChar }).result);
      if (chosen !== undefined) scope.set(key, chosen);
    }
  }
  return scope;
}

function platformArgs(options: BuildOptions, target: Platform): Map<string, string> {
  const describe = (prefix: string, platform: Platform): [string, string][] => [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}OSVERSION`, platform['os.version'] ?? ''],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ];
  const all = [
    ...describe('BUILD', options.buildPlatform),
    ...describe('TARGET', target),
    ['TARGETSTAGE', options.target ?? 'default'] as [string, string],
  ];
  return new Map(all.map(([key, value]) => [key, options.buildArgs.get(key) ?? value]));
}
