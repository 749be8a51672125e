import { transferAmount } from './amounts.ts';
import type { ProgressStatus, ProgressUpdate } from './events.ts';
import { failureTail } from './failure-tail.ts';
import type { ProgressDisplay, ProgressOutput } from './progress-display.ts';
import { type Step, type StepChange, StepTable, secondsOf } from './step-table.ts';
import { cleanText, cleanTextKeepingColors, cleanTextKeepingTabs } from './terminal-text.ts';

export interface PlainOptions {
  readonly output: ProgressOutput;
  /** Whether colours of the steps' own output may stay. */
  readonly colors?: boolean | undefined;
  readonly now?: (() => Date) | undefined;
  /** Set false where nobody waits for time to pass, as in tests; the caller then calls `tick`. */
  readonly timer?: boolean | undefined;
}

/** A step that is silent for this long gives way to one that has something to say; milliseconds. */
const patience = 1000;
/** Longest time that one step may keep the others waiting; milliseconds. */
const longestTurn = 10_000;
/** A transfer is shown again after this long, and at its end; milliseconds. */
const statusInterval = 5000;

interface Waiting {
  readonly step: Step;
  lines: string[];
  readonly shownStatuses: Map<string, number>;
  headed: boolean;
}

/**
 * One line after the other, as BuildKit's plain progress: `#5 [2/4] RUN x`, `#5 0.412 output`, `#5 DONE 1.3s`. Steps that run
 * together take turns: one has the floor until it ends or falls silent; `#5 ...` says that it will go on later.
 */
export class PlainDisplay implements ProgressDisplay {
  readonly #table = new StepTable();
  readonly #options: PlainOptions;
  readonly #waiting = new Map<Step, Waiting>();
  readonly #now: () => Date;
  readonly #clean: (text: string) => string;
  #timer: NodeJS.Timeout | undefined;
  #floor: Waiting | undefined;
  #turnBegan = 0;
  #lastSaid = 0;
  #finished = false;

  constructor(options: PlainOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
    this.#clean = options.colors === true ? cleanTextKeepingColors : cleanTextKeepingTabs;
    if (options.timer !== false) this.#timer = setInterval(() => this.tick(), 250).unref();
  }

  update(update: ProgressUpdate): void {
    for (const change of this.#table.apply(update)) this.#take(change);
    this.tick();
  }

  /** Lets whoever has the floor speak, and passes the floor on where it is time. */
  tick(): void {
    const now = this.#now().getTime();
    if (this.#floor) this.#say(this.#floor);
    const others = [...this.#waiting.values()].filter((each) => each !== this.#floor && each.lines.length > 0);
    const over = now - this.#lastSaid >= patience || now - this.#turnBegan >= longestTurn;
    if (this.#floor && !(others.length > 0 && over)) return;
    this.#passFloor(others);
  }

  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    clearInterval(this.#timer);
    for (const each of this.#waiting.values()) {
      if (each.lines.length === 0) continue;
      this.#giveFloor(each);
    }
    const tail = failureTail(this.#table.steps);
    if (tail.length > 0) this.#write(tail);
  }

  #passFloor(others: readonly Waiting[]): void {
    for (const each of others.toSorted(
      (a, b) => Number(b.step.completed !== undefined) - Number(a.step.completed !== undefined),
    )) {
      this.#giveFloor(each);
      if (this.#floor) return;
    }
  }

  #giveFloor(next: Waiting): void {
    if (this.#floor && this.#floor !== next && this.#floor.headed) {
      this.#write([`#${this.#floor.step.number} ...`, '']);
      this.#floor.headed = false;
    }
    this.#floor = next;
    this.#turnBegan = this.#now().getTime();
    this.#say(next);
  }

  #say(speaker: Waiting): void {
    if (speaker.lines.length > 0) {
      const { number, name } = speaker.step;
      this.#write([...(speaker.headed ? [] : [`#${number} ${cleanText(name)}`]), ...speaker.lines]);
      speaker.headed = true;
      speaker.lines = [];
      this.#lastSaid = this.#now().getTime();
    }
    if (!speaker.step.completed) return;
    this.#waiting.delete(speaker.step);
    if (this.#floor === speaker) this.#floor = undefined;
  }

  #take({ step, began, ended, lines, statuses }: StepChange): void {
    let waiting = this.#waiting.get(step);
    if (!waiting) {
      waiting = { step, lines: [], shownStatuses: new Map(), headed: false };
      this.#waiting.set(step, waiting);
    }
    const prefix = `#${step.number} `;
    // The step's own line, so that a step without output is seen to run.
    if (began && !ended && !waiting.headed && waiting.lines.length === 0) {
      waiting.lines.push(`${prefix}${cleanText(step.name)}`);
      waiting.headed = true;
    }
    for (const status of statuses) this.#takeStatus(waiting, status);
    for (const { at, text } of lines)
      waiting.lines.push(`${prefix}${at.toFixed(3)}${text === '' ? '' : ' '}${this.#clean(text)}`);
    if (!ended) return;
    for (const status of step.statuses.values())
      if (!waiting.shownStatuses.has(status.id)) waiting.lines.push(prefix + statusText(status));
    waiting.lines.push(prefix + endText(step, this.#now()), '');
  }

  #takeStatus(waiting: Waiting, status: ProgressStatus): void {
    const { id, started, completed, timestamp } = status;
    const last = waiting.shownStatuses.get(id) ?? (started ?? timestamp).getTime();
    if (!completed && timestamp.getTime() - last < statusInterval) return;
    if (completed && waiting.shownStatuses.get(id) === Number.POSITIVE_INFINITY) return;
    waiting.shownStatuses.set(id, completed ? Number.POSITIVE_INFINITY : timestamp.getTime());
    waiting.lines.push(`#${waiting.step.number} ${statusText(status)}`);
  }

  #write(lines: readonly string[]): void {
    this.#options.output.write(`${lines.join('\n')}\n`);
  }
}

function statusText({ id, current, total, timestamp, started, completed }: ProgressStatus): string {
  const seconds = started ? ((completed ?? timestamp).getTime() - started.getTime()) / 1000 : 0;
  const parts = [cleanText(id), transferAmount(current, total)];
  if (seconds > 0.01) parts.push(`${seconds.toFixed(1)}s`);
  if (completed) parts.push('done');
  return parts.filter((part) => part !== '').join(' ');
}

function endText(step: Step, now: Date): string {
  switch (step.state) {
    case 'cached':
      return 'CACHED';
    case 'failed':
      return `ERROR: ${cleanText(step.error)}`;
    case 'canceled':
      return 'CANCELED';
    default:
      return `DONE ${secondsOf(step, now).toFixed(1)}s`;
  }
}
