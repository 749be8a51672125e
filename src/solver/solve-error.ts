import type { Digest } from '../base/digest.ts';
import { errorMessage, firstError, SlipwayError } from '../base/errors.ts';

/** A step failed; says which, so that the frontend's source map can point into the Dockerfile. */
export class SolveError extends SlipwayError {
  readonly vertex: Digest;
  readonly vertexName: string;

  constructor(vertex: Digest, vertexName: string, cause: unknown) {
    const first = firstError(cause);
    super(first instanceof SlipwayError ? first.code : 'internal', errorMessage(first), {
      cause,
      hint: first instanceof SlipwayError ? first.hint : undefined,
    });
    this.name = 'SolveError';
    this.vertex = vertex;
    this.vertexName = vertexName;
  }
}
