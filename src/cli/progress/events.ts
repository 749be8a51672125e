/**
 * What a build shows, in the shape of BuildKit's `SolveStatus` (moby/buildkit client/graph.go). Every message may repeat a
 * vertex with more known of it; logs come in pieces that end anywhere.
 */
export interface ProgressUpdate {
  readonly vertexes: readonly ProgressVertex[];
  readonly statuses: readonly ProgressStatus[];
  readonly logs: readonly ProgressLog[];
  readonly warnings: readonly ProgressWarning[];
}

export interface ProgressVertex {
  readonly digest: string;
  readonly inputs: readonly string[];
  readonly name: string;
  readonly started?: Date | undefined;
  readonly completed?: Date | undefined;
  readonly cached: boolean;
  /** Empty when there was none. */
  readonly error: string;
  /** Vertices of one group are shown as one step. */
  readonly progressGroup?: { readonly id: string; readonly name: string; readonly weak: boolean } | undefined;
}

/** A line of progress inside a step, known by its id; bytes where `total` is set. */
export interface ProgressStatus {
  readonly id: string;
  readonly vertex: string;
  readonly name: string;
  readonly current: number;
  readonly total: number;
  readonly timestamp: Date;
  readonly started?: Date | undefined;
  readonly completed?: Date | undefined;
}

export interface ProgressLog {
  readonly vertex: string;
  /** 1 stdout, 2 stderr. */
  readonly stream: number;
  readonly data: Uint8Array;
  readonly timestamp: Date;
}

export interface ProgressWarning {
  readonly vertex: string;
  readonly level: number;
  readonly short: string;
  readonly detail: readonly string[];
  readonly url: string;
  readonly source?: SourceExcerpt | undefined;
}

/** A file of the user's and the lines meant in it, 1-based and inclusive. */
export interface SourceExcerpt {
  readonly filename: string;
  readonly text: string;
  readonly ranges: readonly LineRange[];
}

export interface LineRange {
  readonly startLine: number;
  readonly endLine: number;
}

export const noProgress: ProgressUpdate = { vertexes: [], statuses: [], logs: [], warnings: [] };
