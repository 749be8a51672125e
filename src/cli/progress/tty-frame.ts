import { transferAmount } from './amounts.ts';
import type { Paint, ProgressColors } from './colors.ts';
import type { ProgressStatus } from './events.ts';
import { type Step, type StepState, secondsOf } from './step-table.ts';
import { cleanText, cutToWidth, displayWidth } from './terminal-text.ts';

export interface FrameInput {
  readonly steps: readonly Step[];
  readonly completed: number;
  readonly total: number;
  readonly began: Date;
  readonly now: Date;
  readonly finished: boolean;
  /** Shown at the right of the first line, such as `slipway:default`. */
  readonly builder: string;
  readonly columns: number;
  /** Lines at most; absent for all, as at the end. */
  readonly rows?: number | undefined;
  /** Lines of output shown under a running step. */
  readonly logLines: number;
  readonly colors: ProgressColors;
}

/** A line and how many columns it takes. */
export interface FrameLine {
  readonly text: string;
  readonly width: number;
}

interface Block {
  readonly running: boolean;
  readonly lines: readonly FrameLine[];
  readonly logs: readonly FrameLine[];
}

/** What the terminal shows at one moment. No line is wider than the terminal, and there are no more lines than it has. */
export function drawFrame(input: FrameInput): FrameLine[] {
  const header = headerLine(input);
  const blocks = input.steps.map((step) => drawStep(step, input));
  if (input.rows === undefined) return [header, ...blocks.flatMap(({ lines }) => lines)];
  return [header, ...fitRows(blocks, Math.max(1, input.rows - 1))];
}

/** Drops logs first, then the oldest steps that have ended, then the oldest lines. */
function fitRows(blocks: readonly Block[], rows: number): FrameLine[] {
  const full = blocks.flatMap(({ lines, logs }) => [...lines, ...logs]);
  if (full.length <= rows) return full;
  const running = blocks.filter((block) => block.running);
  const needed = running.reduce((count, { lines, logs }) => count + lines.length + logs.length, 0);
  if (needed > rows) return running.flatMap(({ lines }) => lines).slice(-rows);
  let free = rows - needed;
  const kept = new Set<Block>(running);
  for (const block of blocks.toReversed()) {
    if (kept.has(block)) continue;
    if (block.lines.length > free) break;
    free -= block.lines.length;
    kept.add(block);
  }
  return blocks.filter((block) => kept.has(block)).flatMap(({ lines, logs }) => [...lines, ...logs]);
}

function headerLine({ completed, total, began, now, finished, builder, columns }: FrameInput): FrameLine {
  const seconds = ((now.getTime() - began.getTime()) / 1000).toFixed(1);
  return spread(`[+] Building ${seconds}s (${completed}/${total})${finished ? ' FINISHED' : ''}`, builder, columns);
}

function drawStep(step: Step, input: FrameInput): Block {
  const { columns, now, colors } = input;
  const running = step.state === 'running' && !input.finished;
  // What still ran when the build ended was stopped.
  const state = step.state === 'running' && input.finished ? 'canceled' : step.state;
  const mark = { cached: 'CACHED ', failed: 'ERROR ', canceled: 'CANCELED ', running: '', done: '' }[state];
  const paint = paintOf(state, colors);
  const lines = [spread(` => ${mark}${cleanText(step.name)}`, `${secondsOf(step, now).toFixed(1)}s`, columns, paint)];
  for (const status of step.statuses.values())
    lines.push(statusLine(status, input, step.completed !== undefined, paint));
  return { running, lines, logs: running ? logLinesOf(step, input) : [] };
}

function logLinesOf(step: Step, { logLines, columns }: FrameInput): FrameLine[] {
  if (logLines <= 0) return [];
  const texts = step.lines.slice(-logLines).map(({ text }) => text);
  if (step.openLine !== '') texts.push(step.openLine);
  return texts.slice(-logLines).map((text) => lineOf(cutToWidth(` => => # ${cleanText(text)}`, columns)));
}

function statusLine(status: ProgressStatus, input: FrameInput, ended: boolean, paint: Paint): FrameLine {
  const { started, completed, current, total } = status;
  const end = completed ?? (ended ? status.timestamp : input.now);
  const seconds = started ? Math.max(0, end.getTime() - started.getTime()) / 1000 : 0;
  const amount = transferAmount(current, total);
  const bar = total > 0 && !completed && !ended && input.columns >= 72 ? `${barOf(current / total)} ` : '';
  const name = ` => => ${cleanText(status.id)}`;
  const tail = `${bar}${amount}`;
  const timer = `${seconds.toFixed(1)}s`;
  const left =
    tail === '' ? name : `${cutToWidth(name, Math.max(12, input.columns - tail.length - timer.length - 4))} ${tail}`;
  return spread(left, timer, input.columns, completed || ended ? paint : (text) => text);
}

const barWidth = 12;

function barOf(part: number): string {
  const filled = Math.round(Math.max(0, Math.min(1, part)) * barWidth);
  const arrow = filled > 0 && filled < barWidth ? `${'='.repeat(filled - 1)}>` : '='.repeat(filled);
  return `[${arrow.padEnd(barWidth)}]`;
}

function paintOf(state: StepState, colors: ProgressColors): Paint {
  if (state === 'failed') return colors.error;
  if (state === 'canceled') return colors.cancel;
  return state === 'running' ? (text) => text : colors.run;
}

function lineOf(text: string): FrameLine {
  return { text, width: displayWidth(text) };
}

/** Left text, cut where it must be, and right text at the terminal's edge. */
function spread(left: string, right: string, columns: number, paint: Paint = (text) => text): FrameLine {
  const shownRight = right.length + 2 > columns ? '' : right;
  const room = columns - (shownRight === '' ? 0 : shownRight.length + 1);
  const cut = cutToWidth(left, Math.max(0, room));
  const gap = ' '.repeat(Math.max(0, columns - displayWidth(cut) - shownRight.length));
  const text = shownRight === '' ? cut : `${cut}${gap}${shownRight}`;
  return { text: paint(text), width: displayWidth(text) };
}
