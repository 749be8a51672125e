import type { RecordedStep } from '../../../api/history/build-steps.ts';
import type { Advice, ExplainedStep, Reason } from './explain-steps.ts';
import { partsOf } from './match-steps.ts';

/** Less than this is not worth a change of the Dockerfile. Seconds. */
const worthwhile = 0.1;

/** What installs dependencies, and the files that say which. */
const installers: readonly (readonly [RegExp, RegExp])[] = [
  [
    /\b(npm (ci|install|i)|yarn( install)?|pnpm (install|i))\b/,
    /(^|\/)(package(-lock)?\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|\.npmrc|\.yarnrc.*)$/,
  ],
  [
    /\b(pip3? install|poetry install|uv (sync|pip))\b/,
    /(^|\/)(requirements[^/]*\.txt|pyproject\.toml|poetry\.lock|uv\.lock|setup\.(py|cfg)|Pipfile(\.lock)?)$/,
  ],
  [/\bgo mod download\b/, /(^|\/)go\.(mod|sum)$/],
  [/\b(bundle install)\b/, /(^|\/)Gemfile(\.lock)?$/],
  [/\bcomposer install\b/, /(^|\/)composer\.(json|lock)$/],
  [/\bcargo (fetch|build)\b/, /(^|\/)Cargo\.(toml|lock)$/],
  [/\bmvn\b.*\bdependency:/, /(^|\/)pom\.xml$/],
];

/** Needed by the builder, not by what is built. */
const notOfTheProgram = /^(\.git\/|\.git$|\.dockerignore$|(.*\/)?Dockerfile[^/]*$)/;

/** Steps that ran only because of something that they may not need: what to move, and the seconds that it costs now. */
export function adviseOn(
  steps: readonly RecordedStep[],
  explained: ReadonlyMap<RecordedStep, ExplainedStep>,
): readonly Advice[] {
  const aboutCopies = [...explained].flatMap(([step, { reasons }]) => {
    const files = reasons.flatMap((reason) => (reason.kind === 'file' ? [reason.path] : []));
    const followers = followersOf(step, steps, explained);
    return files.length === 0 || files.length < reasons.length || followers.length === 0
      ? []
      : aboutFiles(step, files, followers);
  });
  return [...aboutCopies, ...aboutVariables(explained)];
}

function aboutFiles(step: RecordedStep, files: readonly string[], followers: readonly RecordedStep[]): Advice[] {
  const instruction = partsOf(step.name).text;
  const which = files.length === 1 ? `"${files[0]}"` : 'the changed files';
  if (files.every((file) => notOfTheProgram.test(file))) return advice(`name ${which} in .dockerignore`, followers);
  const install = followers.find((each) => {
    const found = installers.find(([command]) => command.test(each.facts.command ?? ''));
    return found && !files.some((file) => found[1].test(file));
  });
  if (install) {
    const text = `copy the files that name the dependencies, and run "${shortText(install)}", before "${instruction}"`;
    return advice(text, [install]);
  }
  const free = followers.filter(({ facts }) => !files.some((file) => mentions(facts.command ?? '', file)));
  return advice(
    `what of ${listOf(free)} can do without ${which} belongs before "${instruction}", or ${which} into a COPY apart`,
    free,
  );
}

/** A variable that changed makes every step after it run, those too that never name it. */
function aboutVariables(explained: ReadonlyMap<RecordedStep, ExplainedStep>): Advice[] {
  const variables = new Set<string>();
  const free = [...explained].flatMap(([step, { reasons }]) => {
    const own = reasons.flatMap((reason) => environmentOf(reason) ?? []);
    const others = reasons.filter((reason) => !environmentOf(reason) && reason.kind !== 'earlier-step');
    if (step.kind !== 'exec' || own.length === 0 || others.length > 0) return [];
    if (own.some((name) => (step.facts.command ?? '').includes(name))) return [];
    for (const name of own) variables.add(name);
    return [step];
  });
  const names = [...variables].map((name) => `"${name}"`).join(' and ');
  return advice(`set ${names} after ${listOf(free)}, which ${free.length === 1 ? 'does' : 'do'} not name it`, free);
}

function listOf(steps: readonly RecordedStep[]): string {
  return steps.map((step) => `"${shortText(step)}"`).join(', ');
}

function advice(text: string, steps: readonly RecordedStep[]): Advice[] {
  const savedSeconds = steps.reduce((sum, { seconds }) => sum + seconds, 0);
  return savedSeconds < worthwhile ? [] : [{ text, steps: steps.map(({ name }) => name), savedSeconds }];
}

/** The steps that ran for no other reason than this one. */
function followersOf(
  step: RecordedStep,
  steps: readonly RecordedStep[],
  explained: ReadonlyMap<RecordedStep, ExplainedStep>,
): RecordedStep[] {
  const causes = new Set([step.name]);
  return steps.filter((each) => {
    const reasons = explained.get(each)?.reasons ?? [];
    const follows =
      reasons.length > 0 && reasons.every((reason) => reason.kind === 'earlier-step' && causes.has(reason.step));
    if (follows) causes.add(each.name);
    return follows && each.kind === 'exec';
  });
}

function environmentOf(reason: Reason): string | undefined {
  return reason.kind === 'fact' ? /^environment (.+)$/.exec(reason.name)?.[1] : undefined;
}

function mentions(command: string, file: string): boolean {
  return command.includes(file) || command.includes(file.slice(file.lastIndexOf('/') + 1));
}

function shortText({ name }: RecordedStep): string {
  const { text } = partsOf(name);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
