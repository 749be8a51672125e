import type { Digest } from '../base/digest.ts';
import type { ProgressGroup } from './vertex.ts';

/** The state of one vertex; sent again whenever it changes (Control.Status, `Vertex`). */
export interface VertexEvent {
  readonly digest: Digest;
  readonly inputs: readonly Digest[];
  readonly name: string;
  readonly started?: Date | undefined;
  readonly completed?: Date | undefined;
  readonly cached: boolean;
  readonly error?: string | undefined;
  readonly progressGroup?: ProgressGroup | undefined;
}

/** One line of transfer progress under a vertex. */
export interface StatusEvent {
  readonly id: string;
  readonly vertex: Digest;
  readonly current: number;
  readonly total: number;
  readonly timestamp: Date;
  readonly started: Date;
  readonly completed?: Date | undefined;
}

export interface LogEvent {
  readonly vertex: Digest;
  readonly stream: number;
  readonly bytes: Uint8Array;
  readonly timestamp: Date;
}

export interface WarningEvent {
  readonly vertex: Digest;
  readonly level: number;
  readonly short: string;
  readonly detail: readonly string[];
  readonly url: string;
  readonly source?: WarningSource | undefined;
}

/** Where in the user's file a warning points; 1-based lines. */
export interface WarningSource {
  readonly filename: string;
  readonly data: Uint8Array;
  readonly language: string;
  readonly ranges: readonly {
    readonly start: { readonly line: number; readonly character: number };
    readonly end: { readonly line: number; readonly character: number };
  }[];
}

/** Whoever shows or keeps progress. */
export interface ProgressSink {
  vertex(event: VertexEvent): void;
  status(event: StatusEvent): void;
  log(event: LogEvent): void;
  warning(event: WarningEvent): void;
}
