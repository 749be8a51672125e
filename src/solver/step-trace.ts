import type { Digest } from '../base/digest.ts';
import type { VertexEvent } from './progress.ts';
import type { Vertex } from './vertex.ts';

/** What a build can tell of one of its steps afterwards. */
export interface StepTrace {
  readonly vertex: Vertex;
  readonly event: VertexEvent;
  /** Absent when the step was never keyed: something before it failed. */
  readonly keying: StepKeying | undefined;
}

export interface StepKeying {
  readonly key: Digest;
  readonly opDigest: Digest;
  /** In order of the inputs: a content key for those among `contentInputs`. */
  readonly inputKeys: readonly string[];
  readonly contentInputs: readonly number[];
  readonly facts: Readonly<Record<string, string>>;
  /** The cache did not count: by the user's wish, here or beneath. */
  readonly fresh: boolean;
}
