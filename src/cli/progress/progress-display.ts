import type { ProgressUpdate } from './events.ts';

/** Shows a build's progress while it runs. */
export interface ProgressDisplay {
  update(update: ProgressUpdate): void;
  /** Shows what is still to be shown and leaves the terminal as it was. No error the second time; no update may follow. */
  finish(): void;
}

/** Where a display writes. */
export interface ProgressOutput {
  write(text: string): void;
}
