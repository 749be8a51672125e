import type { ProgressUpdate, ProgressVertex } from './events.ts';
import { noProgress } from './events.ts';

/** A moment of a build made up for tests, in seconds since it began. */
export const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + Math.round(seconds * 1000));

export function vertex(digest: string, name: string, more: Partial<ProgressVertex> = {}): ProgressUpdate {
  return { ...noProgress, vertexes: [{ digest, name, inputs: [], cached: false, error: '', ...more }] };
}

export function log(digest: string, seconds: number, text: string, stream = 1): ProgressUpdate {
  return { ...noProgress, logs: [{ vertex: digest, stream, data: Buffer.from(text), timestamp: at(seconds) }] };
}

export function status(
  digest: string,
  id: string,
  times: { readonly started: number; readonly now: number; readonly completed?: number },
  bytes: readonly [number, number] = [0, 0],
): ProgressUpdate {
  const [current, total] = bytes;
  const completed = times.completed === undefined ? undefined : at(times.completed);
  const moments = { timestamp: at(times.now), started: at(times.started), completed };
  return { ...noProgress, statuses: [{ id, vertex: digest, name: '', current, total, ...moments }] };
}

/** Gathers what a display writes. */
export class Recorder {
  text = '';
  columns = 80;
  rows = 24;

  write(text: string): void {
    this.text += text;
  }

  take(): string {
    const text = this.text;
    this.text = '';
    return text;
  }
}
