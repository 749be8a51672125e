import type { Step } from './step-table.ts';
import { cleanText, cleanTextKeepingTabs } from './terminal-text.ts';

/** What failed steps have said, between dashes, as the last thing above the error itself. */
export function failureTail(steps: readonly Step[]): string[] {
  return steps
    .filter(({ state }) => state === 'failed')
    .flatMap((step) => [
      '------',
      ` > ${cleanText(step.name)}:`,
      ...step.lines.map(({ at, text }) => `${at.toFixed(3)} ${cleanTextKeepingTabs(text)}`),
      '------',
    ]);
}
