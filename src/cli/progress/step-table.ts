import type { ProgressStatus, ProgressUpdate, ProgressVertex, ProgressWarning } from './events.ts';
import { LogLines } from './log-lines.ts';

export type StepState = 'running' | 'done' | 'cached' | 'canceled' | 'failed';

export interface StepLine {
  readonly text: string;
  /** Seconds since the step began. */
  readonly at: number;
}

/** What is shown as one step: a vertex, or the vertices of a progress group. */
export interface Step {
  /** By the order in which steps began, from 1. */
  readonly number: number;
  readonly name: string;
  readonly vertices: Map<string, ProgressVertex>;
  readonly statuses: Map<string, ProgressStatus>;
  readonly lines: StepLine[];
  /** Output after the last line feed, such as a progress bar. */
  openLine: string;
  readonly started: Date;
  completed: Date | undefined;
  state: StepState;
  error: string;
  /** Milliseconds of earlier runs: a step can go on after it had ended. */
  earlier: number;
  runStarted: Date;
}

export interface StepChange {
  readonly step: Step;
  readonly began: boolean;
  readonly ended: boolean;
  readonly lines: readonly StepLine[];
  readonly statuses: readonly ProgressStatus[];
}

interface Changing {
  began: boolean;
  ended: boolean;
  lines: StepLine[];
  statuses: ProgressStatus[];
}

/** Gathers a build's progress: its steps, what they show, and how many of the known vertices are complete. */
export class StepTable {
  readonly #vertices = new Map<string, ProgressVertex>();
  readonly #steps = new Map<string, Step>();
  readonly #logs = new Map<Step, LogLines>();
  readonly #warnings: ProgressWarning[] = [];
  #changes = new Map<Step, Changing>();

  get steps(): readonly Step[] {
    return [...this.#steps.values()];
  }

  get warnings(): readonly ProgressWarning[] {
    return this.#warnings;
  }

  get total(): number {
    return this.#vertices.size;
  }

  get completed(): number {
    let count = 0;
    for (const vertex of this.#vertices.values()) if (vertex.completed) count++;
    return count;
  }

  /** Takes an update in; answers what changed, in the steps' order. */
  apply(update: ProgressUpdate): StepChange[] {
    this.#changes = new Map();
    for (const vertex of update.vertexes) this.#vertex(vertex);
    for (const status of update.statuses) this.#status(status);
    for (const { vertex, stream, data, timestamp } of update.logs) {
      const step = this.#stepOf(vertex, timestamp);
      if (!step) continue;
      const lines = this.#linesOf(step);
      this.#addLines(step, lines.push(stream, data), timestamp);
      step.openLine = lines.current;
    }
    for (const { digest } of update.vertexes) this.#settle(digest);
    this.#warnings.push(...update.warnings);
    return [...this.#changes]
      .map(([step, change]) => ({ step, ...change }))
      .toSorted((a, b) => a.step.number - b.step.number);
  }

  #vertex(vertex: ProgressVertex): void {
    this.#vertices.set(vertex.digest, vertex);
    if (!vertex.started) return;
    const step = this.#stepOf(vertex.digest, vertex.started);
    step?.vertices.set(vertex.digest, vertex);
    if (!step || vertex.completed || step.completed === undefined) return;
    step.earlier += step.completed.getTime() - step.runStarted.getTime();
    step.runStarted = vertex.started;
    step.completed = undefined;
    step.state = 'running';
    this.#change(step).began = true;
  }

  #status(status: ProgressStatus): void {
    const step = this.#stepOf(status.vertex, status.started ?? status.timestamp);
    if (!step) return;
    step.statuses.set(status.id, status);
    this.#change(step).statuses.push(status);
  }

  /** Ends the step once each of its vertices that began has ended. */
  #settle(digest: string): void {
    const step = this.#steps.get(this.#keyOf(digest));
    if (!step || step.completed) return;
    const vertices = [...step.vertices.values()];
    if (vertices.length === 0 || vertices.some(({ completed }) => !completed)) return;
    const ends = vertices.map(({ completed }) => completed?.getTime() ?? 0);
    step.completed = new Date(Math.max(...ends));
    step.error = vertices.find(({ error }) => error !== '')?.error ?? '';
    step.state = stateOf(step.error, vertices);
    this.#addLines(step, this.#linesOf(step).end(), step.completed);
    this.#change(step).ended = true;
    // Only what failed is told again at the end.
    if (step.state !== 'failed') step.lines.length = 0;
  }

  #addLines(step: Step, texts: readonly string[], time: Date): void {
    if (texts.length === 0) return;
    const at = Math.max(0, time.getTime() - step.started.getTime()) / 1000;
    const lines = texts.map((text) => ({ text, at }));
    for (const line of lines) step.lines.push(line);
    this.#change(step).lines.push(...lines);
  }

  #keyOf(digest: string): string {
    const group = this.#vertices.get(digest)?.progressGroup;
    return group ? `group:${group.id}` : digest;
  }

  #stepOf(digest: string, begun: Date): Step | undefined {
    const vertex = this.#vertices.get(digest);
    if (!vertex) return undefined;
    const key = this.#keyOf(digest);
    const known = this.#steps.get(key);
    if (known) return known;
    const started = vertex.started ?? begun;
    const step: Step = {
      number: this.#steps.size + 1,
      name: vertex.progressGroup?.name || vertex.name,
      vertices: new Map(),
      statuses: new Map(),
      lines: [],
      openLine: '',
      started,
      runStarted: started,
      completed: undefined,
      state: 'running',
      error: '',
      earlier: 0,
    };
    this.#steps.set(key, step);
    this.#change(step).began = true;
    return step;
  }

  #linesOf(step: Step): LogLines {
    const lines = this.#logs.get(step) ?? new LogLines();
    this.#logs.set(step, lines);
    return lines;
  }

  #change(step: Step): Changing {
    const change = this.#changes.get(step) ?? { began: false, ended: false, lines: [], statuses: [] };
    this.#changes.set(step, change);
    return change;
  }
}

function stateOf(error: string, vertices: readonly ProgressVertex[]): StepState {
  if (/(?:context canceled|was cancell?ed|operation was aborted)$/.test(error)) return 'canceled';
  if (error !== '') return 'failed';
  return vertices.every(({ cached }) => cached) ? 'cached' : 'done';
}

/** Seconds that a step has taken, all its runs together. */
export function secondsOf(step: Step, now: Date): number {
  const end = step.completed ?? now;
  return Math.max(0, step.earlier + end.getTime() - step.runStarted.getTime()) / 1000;
}
