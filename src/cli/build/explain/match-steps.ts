import type { RecordedStep } from '../../../api/history/build-steps.ts';

/**
 * Finds for each step the one that it was in the earlier build: the same instruction of the same stage, else the one in its place,
 * if that is of the same kind and is not needed by another.
 */
export function matchSteps(
  now: readonly RecordedStep[],
  before: readonly RecordedStep[],
): ReadonlyMap<RecordedStep, RecordedStep> {
  const left = new Set(before);
  const matches = new Map<RecordedStep, RecordedStep>();
  const match = (step: RecordedStep, found: RecordedStep | undefined) => {
    if (!found) return;
    matches.set(step, found);
    left.delete(found);
  };
  const first = (fits: (each: RecordedStep) => boolean) => [...left].find(fits);
  for (const step of now)
    match(
      step,
      first(({ digest }) => digest === step.digest),
    );
  for (const step of now) {
    if (matches.has(step)) continue;
    const { stage, text } = partsOf(step.name);
    match(
      step,
      first(({ name }) => partsOf(name).stage === stage && partsOf(name).text === text),
    );
  }
  for (const step of now) {
    if (matches.has(step)) continue;
    const { stage, place, text } = partsOf(step.name);
    const isInPlace = ({ name, kind }: RecordedStep) => {
      const other = partsOf(name);
      return (
        kind === step.kind && other.stage === stage && other.place === place && verbOf(other.text) === verbOf(text)
      );
    };
    match(step, first(isInPlace));
  }
  return matches;
}

/** `[build 2/5] RUN make` as stage, place and instruction. */
export function partsOf(name: string): { readonly stage: string; readonly place: string; readonly text: string } {
  const [, stage = '', place = '', text = name] = /^\[(?:(.*) )?(\d+)\/\d+\] (.*)$/s.exec(name) ?? [];
  return { stage, place, text };
}

const verbOf = (text: string) => text.split(/\s/, 1)[0]?.toUpperCase();
