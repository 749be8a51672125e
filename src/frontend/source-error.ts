import { errorMessage, SlipwayError } from '../base/errors.ts';
import type { SourceRange } from '../dockerfile/instruction.ts';
import type { SourceFile } from '../graph/definition.ts';

/** An error that comes from a place in the user's file. */
export class SourceError extends SlipwayError {
  readonly source: SourceFile;
  readonly range: { readonly startLine: number; readonly endLine: number };

  constructor(cause: unknown, source: SourceFile, range: { readonly startLine: number; readonly endLine: number }) {
    const hint =
      cause instanceof SlipwayError
        ? cause.hint
        : cause instanceof Error && 'hint' in cause && typeof cause.hint === 'string'
          ? cause.hint
          : undefined;
    super(cause instanceof SlipwayError ? cause.code : 'invalid-argument', errorMessage(cause), { cause, hint });
    this.name = 'SourceError';
    this.source = source;
    this.range = range;
  }
}

/** Adds the place, unless a deeper one is known already. */
export function locateError(
  error: unknown,
  range: SourceRange,
  file: { readonly filename: string; readonly dockerfile: Uint8Array },
): unknown {
  if (error instanceof SourceError) return error;
  const { startLine, endLine } = range;
  return new SourceError(
    error,
    { filename: file.filename, data: file.dockerfile, language: 'Dockerfile' },
    { startLine, endLine },
  );
}
