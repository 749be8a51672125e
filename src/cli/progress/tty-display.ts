import type { ProgressColors } from './colors.ts';
import type { ProgressUpdate } from './events.ts';
import { failureTail } from './failure-tail.ts';
import type { ProgressDisplay, ProgressOutput } from './progress-display.ts';
import { StepTable } from './step-table.ts';
import { drawFrame, type FrameLine } from './tty-frame.ts';

/** A terminal: where to write, how large it is, and when that changes. */
export interface Terminal extends ProgressOutput {
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

export interface TtyOptions {
  readonly output: Terminal;
  readonly colors: ProgressColors;
  readonly builder?: string | undefined;
  readonly logLines?: number | undefined;
  readonly now?: (() => Date) | undefined;
  /** Set false where nobody waits for time to pass, as in tests; the caller then calls `draw`. */
  readonly timer?: boolean | undefined;
}

/** Milliseconds between two frames. */
const frameInterval = 100;

// Terminals that know mode 2026 show a frame only when it is whole; the others ignore it.
const beginFrame = '\x1b[?2026h\x1b[?25l';
const endFrame = '\x1b[?2026l';
const showCursor = '\x1b[?25h';
const eraseLineEnd = '\x1b[K';
const eraseBelow = '\x1b[J';

/** A table of the build's steps that is drawn over itself. */
export class TtyDisplay implements ProgressDisplay {
  readonly #table = new StepTable();
  readonly #options: TtyOptions;
  readonly #now: () => Date;
  readonly #began: Date;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #onExit = () => this.#options.output.write(showCursor);
  #drawn: readonly FrameLine[] = [];
  #finished = false;

  constructor(options: TtyOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
    this.#began = this.#now();
    if (options.timer === false) return;
    this.#timer = setInterval(() => this.draw(), frameInterval).unref();
    process.once('exit', this.#onExit);
  }

  update(update: ProgressUpdate): void {
    this.#table.apply(update);
  }

  /** Draws the present state over the last one, in one write. */
  draw(): void {
    const rows = Math.max(4, this.#options.output.rows ?? 24);
    // The last row stays free: the cursor rests there.
    if (this.#table.total > 0) this.#paint(this.#frame(rows - 1, false), '');
  }

  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    clearInterval(this.#timer);
    process.removeListener('exit', this.#onExit);
    if (this.#table.total === 0) return;
    const tail = failureTail(this.#table.steps).map((line) => `${line}\n`);
    this.#paint(this.#frame(undefined, true), `${showCursor}${tail.join('')}`);
  }

  #frame(rows: number | undefined, finished: boolean): FrameLine[] {
    const { output, colors, builder, logLines } = this.#options;
    return drawFrame({
      steps: this.#table.steps,
      completed: this.#table.completed,
      total: this.#table.total,
      began: this.#began,
      now: this.#now(),
      finished,
      builder: builder ?? '',
      columns: columnsOf(output),
      rows,
      logLines: logLines ?? 6,
      colors,
    });
  }

  #paint(lines: readonly FrameLine[], after: string): void {
    const { output } = this.#options;
    const columns = columnsOf(output);
    // A terminal made narrower has broken the lines that stood there.
    const up = this.#drawn.reduce((rows, { width }) => rows + Math.max(1, Math.ceil(width / columns)), 0);
    const moveUp = up > 0 ? `\x1b[${Math.min(up, Math.max(4, output.rows ?? 24) - 1)}A\r` : '';
    const body = lines.map(({ text }) => `${text}${eraseLineEnd}\n`).join('');
    output.write(`${beginFrame}${moveUp}${body}${eraseBelow}${endFrame}${after}`);
    this.#drawn = lines;
  }
}

function columnsOf({ columns }: Terminal): number {
  return Math.max(20, columns ?? 80);
}
