import type { Digest } from '../base/digest.ts';
import { errorMessage, SlipwayError } from '../base/errors.ts';

/** A step failed; says which, so that the frontend's source map can point into the Dockerfile. */
export class SolveError extends SlipwayError {
  readonly vertex: Digest;
  readonly vertexName: string;

  constructor(vertex: Digest, vertexName: string, cause: unknown) {
    super(cause instanceof SlipwayError ? cause.code : 'internal', errorMessage(cause), {
      cause,
      hint: cause instanceof SlipwayError ? cause.hint : undefined,
    });
    this.name = 'SolveError';
    this.vertex = vertex;
    this.vertexName = vertexName;
  }
}
