import type { FromInstruction, Stage } from '../instruction.ts';
import { keywordOf } from '../parse-instruction.ts';
import {
  consistentInstructionCasing,
  duplicateStageName,
  fromAsCasing,
  fromPlatformFlagConstDisallowed,
  invalidDefaultArgInFrom,
  redundantTargetPlatform,
  reservedStageName,
  stageNameCasing,
  undefinedArgInFrom,
} from './docker-rules.ts';
import { isImageName } from './image-name.ts';
import type { Reporter } from './reporter.ts';
import { type GlobalScope, tryExpand } from './scope.ts';

const reserved = new Set(['context', 'scratch']);

/** What the FROM lines say about names, beside each other. */
export function checkStageNames(stages: readonly Stage[], reporter: Reporter): void {
  const names = new Set<string>();
  for (const { from } of stages) {
    const { stageName } = from;
    if (stageName === undefined) continue;
    if (reserved.has(stageName)) reporter.report(reservedStageName, from, stageName);
    if (names.has(stageName)) reporter.report(duplicateStageName, from, stageName);
    names.add(stageName);
  }
}

/** How one FROM line is written. */
export function checkFromCasing(from: FromInstruction, reporter: Reporter): void {
  if (from.stageName === undefined) return;
  const [name = '', as = ''] = from.original.split(/\s+/).toReversed();
  if (name !== name.toLowerCase()) reporter.report(stageNameCasing, from, name);
  const keyword = keywordOf(from.original);
  const casing = casingOf(keyword);
  if (casing !== undefined && inCasing(as, casing) !== as) reporter.report(fromAsCasing, from, keyword, as);
}

type Casing = 'lowercase' | 'uppercase';

function casingOf(word: string): Casing | undefined {
  if (word === word.toLowerCase()) return 'lowercase';
  return word === word.toUpperCase() ? 'uppercase' : undefined;
}

function inCasing(word: string, casing: Casing): string {
  return casing === 'lowercase' ? word.toLowerCase() : word.toUpperCase();
}

/** The majority decides; where there is none, it is upper case. */
export function checkInstructionCasing(stages: readonly Stage[], reporter: Reporter): void {
  const instructions = stages.flatMap(({ from, instructions }) => [from, ...instructions]);
  const casings = instructions.map(({ original }) => casingOf(keywordOf(original)));
  const count = (casing: Casing) => casings.filter((each) => each === casing).length;
  const majority = count('lowercase') > count('uppercase') ? 'lowercase' : 'uppercase';
  for (const instruction of instructions) {
    const keyword = keywordOf(instruction.original);
    if (inCasing(keyword, majority) !== keyword)
      reporter.report(consistentInstructionCasing, instruction, keyword, majority);
  }
}

/** Variables in FROM: only global args count there. `defaults` is the scope as it is without any build arg. */
export function checkFromVariables(
  from: FromInstruction,
  globals: GlobalScope,
  defaults: GlobalScope,
  reporter: Reporter,
): void {
  for (const word of [from.image, from.platform]) {
    const expanded = word === undefined ? undefined : tryExpand(word, globals.variables, { escape: globals.escape });
    for (const name of expanded?.unmatched ?? []) {
      if (!globals.declared.has(name))
        reporter.report(undefinedArgInFrom, from, name, reporter.nearest.find(name, globals.declared));
    }
  }
  const usual = tryExpand(from.image, defaults.variables, { escape: defaults.escape });
  if (usual && !isImageName(usual.result)) reporter.report(invalidDefaultArgInFrom, from, from.image);
  checkPlatform(from, globals, reporter);
}

function checkPlatform(from: FromInstruction, globals: GlobalScope, reporter: Reporter): void {
  const { platform, stageName = '' } = from;
  const expanded =
    platform === undefined ? undefined : tryExpand(platform, globals.variables, { escape: globals.escape });
  if (platform === undefined || !expanded) return;
  const { matched, unmatched, result } = expanded;
  if (matched.size === 1 && unmatched.size === 0) {
    if (matched.has('TARGETPLATFORM') && result === globals.variables.get('TARGETPLATFORM'))
      reporter.report(redundantTargetPlatform, from, platform);
  } else if (matched.size === 0 && unmatched.size === 0) {
    const parts = platformParts(result);
    // A stage that has its platform in its name is meant for just that.
    if (parts && !parts.some((part) => stageName.includes(part)))
      reporter.report(fromPlatformFlagConstDisallowed, from, result);
  }
}

const architectures: ReadonlyMap<string, string> = new Map([
  ['x86_64', 'amd64'],
  ['x86-64', 'amd64'],
  ['aarch64', 'arm64'],
  ['armhf', 'arm'],
  ['armel', 'arm'],
  ['i386', '386'],
]);

/** System and architecture of a platform, as far as they are written; undefined when it is none. */
function platformParts(platform: string): readonly string[] | undefined {
  const parts = platform.toLowerCase().split('/');
  if (parts.length > 3 || !parts.every((part) => /^[a-z0-9_.-]+(\([^()]*\))?$/.test(part))) return undefined;
  const [system = '', architecture] = parts;
  const normal = (part: string) => architectures.get(part) ?? part;
  return architecture === undefined ? [normal(system)] : [system, normal(architecture)];
}
