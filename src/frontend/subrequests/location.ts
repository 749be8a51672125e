import type { SourceRange } from '../../dockerfile/instruction.ts';

/** `pb.Location` as JSON: what is zero is left out; BuildKit has a range for each line. */
export interface LocationJson {
  readonly sourceIndex?: number;
  readonly ranges?: readonly { readonly start: PositionJson; readonly end: PositionJson }[];
}

interface PositionJson {
  readonly line?: number;
}

export function locationOf({ startLine, endLine }: Pick<SourceRange, 'startLine' | 'endLine'>): LocationJson {
  const lines = Array.from({ length: Math.max(1, endLine - startLine + 1) }, (_, i) => startLine + i);
  return { ranges: lines.map((line) => ({ start: position(line), end: position(line) })) };
}

function position(line: number): PositionJson {
  return line === 0 ? {} : { line };
}
