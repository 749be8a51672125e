import type { FileListing, RecordedInput, RecordedStep } from '../../../api/history/build-steps.ts';
import { adviseOn } from './advise.ts';
import type { ComparedBuilds } from './fetch-builds.ts';
import { matchSteps } from './match-steps.ts';

/** Why a step ran. */
export type Reason =
  | { readonly kind: 'no-earlier-build' }
  | { readonly kind: 'no-cache' }
  | { readonly kind: 'new-step' }
  /** What the step says is other than it was: `command`, `environment NAME`, `action 0`. */
  | { readonly kind: 'fact'; readonly name: string; readonly before?: string; readonly after?: string }
  | { readonly kind: 'base-image'; readonly name: string; readonly before?: string; readonly after?: string }
  | { readonly kind: 'file'; readonly path: string; readonly change: FileChange }
  /** Files were changed, but too many are read to be listed. */
  | { readonly kind: 'files'; readonly from: string }
  | { readonly kind: 'earlier-step'; readonly step: string }
  /** Equal to a step of the earlier build, whose result is gone. */
  | { readonly kind: 'no-record' };

export type FileChange = 'added' | 'changed' | 'removed' | 'mode';

export interface ExplainedStep {
  readonly name: string;
  /** In the Dockerfile, from 1. */
  readonly lines?: readonly [number, number] | undefined;
  readonly seconds: number;
  readonly reasons: readonly Reason[];
}

/** A change of the Dockerfile that would have kept steps cached. */
export interface Advice {
  readonly text: string;
  readonly steps: readonly string[];
  readonly savedSeconds: number;
}

export interface Explanation {
  /** Began then; absent for the first build of this target. */
  readonly comparedWith?: string | undefined;
  readonly ran: readonly ExplainedStep[];
  readonly cached: number;
  readonly advice: readonly Advice[];
}

/** Says for every step that ran why it ran, measured against the nearest earlier build. */
export async function explainBuild(builds: ComparedBuilds): Promise<Explanation> {
  const { now, before, beforeAt } = builds;
  const steps = now.steps.filter(isInstruction);
  const matches = matchSteps(steps, before?.steps.filter(isInstruction) ?? []);
  const explained = new Map<RecordedStep, ExplainedStep>();
  for (const step of steps) {
    if (step.outcome !== 'ran') continue;
    const reasons = before ? await reasonsOf(step, matches.get(step), builds, steps) : [noEarlierBuild];
    const { name, lines, seconds } = step;
    explained.set(step, { name, lines, seconds, reasons });
  }
  return {
    ...(beforeAt && { comparedWith: beforeAt.toISOString() }),
    ran: [...explained.values()],
    cached: steps.filter(({ outcome }) => outcome === 'cached').length,
    advice: before ? adviseOn(steps, explained) : [],
  };
}

const noEarlierBuild: Reason = { kind: 'no-earlier-build' };

/** Sources are no steps of their own: what they bring is a reason for those that use them. */
function isInstruction({ kind }: RecordedStep): boolean {
  return kind !== 'source';
}

async function reasonsOf(
  step: RecordedStep,
  match: RecordedStep | undefined,
  builds: ComparedBuilds,
  steps: readonly RecordedStep[],
): Promise<readonly Reason[]> {
  if (step.ignoreCache) return [{ kind: 'no-cache' }];
  if (!match) return [{ kind: 'new-step' }];
  const reasons = [...factReasons(step, match), ...(await inputReasons(step, match, builds, steps))];
  return reasons.length > 0 ? reasons : [{ kind: 'no-record' }];
}

function factReasons(step: RecordedStep, match: RecordedStep): Reason[] {
  const names = new Set([...Object.keys(match.facts), ...Object.keys(step.facts)]);
  return [...names].flatMap((name): Reason[] => {
    const [before, after] = [match.facts[name], step.facts[name]];
    if (before === after) return [];
    return [{ kind: 'fact', name, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
  });
}

async function inputReasons(
  step: RecordedStep,
  match: RecordedStep,
  builds: ComparedBuilds,
  steps: readonly RecordedStep[],
): Promise<Reason[]> {
  const reasons: Reason[] = [];
  for (const [i, input] of step.inputs.entries()) {
    const earlier = match.inputs[i];
    if (earlier && earlier.key === input.key) continue;
    reasons.push(...(await inputReason(input, earlier, builds, steps)));
  }
  return reasons;
}

async function inputReason(
  input: RecordedInput,
  earlier: RecordedInput | undefined,
  { now, before, listing }: ComparedBuilds,
  steps: readonly RecordedStep[],
): Promise<Reason[]> {
  const maker = now.steps.find(({ digest }) => digest === input.step);
  if (input.content) {
    if (!input.files || !earlier?.files) return [{ kind: 'files', from: maker?.name ?? 'its input' }];
    return fileReasons(await listing(earlier.files), await listing(input.files));
  }
  if (maker && !steps.includes(maker)) {
    const earlierMaker = before?.steps.find(({ digest }) => digest === earlier?.step);
    const [was, is] = [earlierMaker?.facts.manifest, maker.facts.manifest];
    if (is !== undefined)
      return [{ kind: 'base-image', name: maker.name, ...(was !== undefined && { before: was }), after: is }];
  }
  return [{ kind: 'earlier-step', step: maker?.name ?? 'its input' }];
}

function fileReasons(before: FileListing, after: FileListing): Reason[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return paths.flatMap((path): Reason[] => {
    const [was, is] = [before.get(path), after.get(path)];
    const change = !was ? 'added' : !is ? 'removed' : was.digest !== is.digest ? 'changed' : 'mode';
    return was && is && was.digest === is.digest && was.mode === is.mode ? [] : [{ kind: 'file', path, change }];
  });
}
