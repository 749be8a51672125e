import { errorMessage, SlipwayError } from '../base/errors.ts';
import type { SourceRange } from '../dockerfile/instruction.ts';
import type { SourceFile } from '../graph/definition.ts';
import type { Edge } from '../graph/vertex.ts';

interface LineRange {
  readonly startLine: number;
  readonly endLine: number;
}

/** An error that comes from a place in the user's file. */
export class SourceError extends SlipwayError {
  readonly source: SourceFile;
  readonly ranges: readonly LineRange[];

  constructor(cause: unknown, source: SourceFile, ranges: readonly LineRange[]) {
    const hint =
      cause instanceof SlipwayError
        ? cause.hint
        : cause instanceof Error && 'hint' in cause && typeof cause.hint === 'string'
          ? cause.hint
          : undefined;
    super(cause instanceof SlipwayError ? cause.code : 'invalid-argument', errorMessage(cause), { cause, hint });
    this.name = 'SourceError';
    this.source = source;
    this.ranges = ranges;
  }
}

/** Adds the place, unless a deeper one is known already. */
export function locateError(
  error: unknown,
  range: SourceRange,
  file: { readonly filename: string; readonly dockerfile: Uint8Array; readonly definition: Edge | undefined },
): unknown {
  if (error instanceof SourceError) return error;
  const source = { filename: file.filename, data: file.dockerfile, language: 'Dockerfile', origin: file.definition };
  const { startLine, endLine } = range;
  return new SourceError(error, source, [{ startLine, endLine }]);
}
