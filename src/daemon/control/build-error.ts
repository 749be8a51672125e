import { FrontendCapSchema, SourceSchema, VertexSchema } from '../../api/gen/errdefs_pb.js';
import { StatusError } from '../../api/grpc/status.ts';
import { create } from '../../api/message/create.ts';
import { anyPack } from '../../api/message/well-known.ts';
import { type ErrorCode, errorMessage, SlipwayError } from '../../base/errors.ts';
import { UnsupportedCapabilityError } from '../../frontend/capabilities.ts';
import type { FrontendResult } from '../../frontend/frontend.ts';
import { SourceError } from '../../frontend/source-error.ts';
import { lineRanges, type SourceFile, sourceInfo, verticesOf } from '../../graph/definition.ts';
import { SolveError } from '../../solver/solve-error.ts';

interface Lines {
  readonly startLine: number;
  readonly endLine: number;
}

/** An error as BuildKit's clients know it: with the step that failed and its lines in the user's file as details. */
export function buildError(error: unknown, result: FrontendResult | undefined): unknown {
  if (error instanceof StatusError) return error;
  const hint = error instanceof SlipwayError && error.hint !== undefined ? ` (${error.hint})` : '';
  const code = codeFor(error);
  if (error instanceof SourceError) {
    return new StatusError(code, `${errorMessage(error)}${hint}`, [sourceDetail(error.source, error.ranges)], error);
  }
  if (error instanceof UnsupportedCapabilityError) {
    const detail = anyPack(FrontendCapSchema, create(FrontendCapSchema, { name: error.capability }));
    return new StatusError(code, errorMessage(error), [detail], error);
  }
  if (error instanceof SolveError) {
    const location = locationOf(error, result);
    const details = [
      anyPack(VertexSchema, create(VertexSchema, { digest: error.vertex })),
      ...(location && result?.source ? [sourceDetail(result.source, [location])] : []),
    ];
    return new StatusError(code, `${errorMessage(error)}${hint}`, details, error);
  }
  return error instanceof SlipwayError && (hint !== '' || code !== error.code)
    ? new StatusError(code, `${errorMessage(error)}${hint}`, [], error)
    : error;
}

/** BuildKit has no code for what is wrong with a build: its clients show a code in front of the message, and exit differently. */
function codeFor(error: unknown): ErrorCode {
  if (!(error instanceof SlipwayError)) return 'internal';
  return ['invalid-argument', 'not-found', 'failed-precondition'].includes(error.code) ? 'unknown' : error.code;
}

function locationOf(error: SolveError, result: FrontendResult | undefined): Lines | undefined {
  for (const edge of result?.refs.values() ?? []) {
    const found = edge && verticesOf(edge.vertex).find((vertex) => vertex.digest === error.vertex);
    if (found?.location) return found.location;
  }
  return undefined;
}

function sourceDetail(source: SourceFile, lines: readonly Lines[]) {
  return anyPack(
    SourceSchema,
    create(SourceSchema, { info: sourceInfo(source), ranges: lines.flatMap((each) => lineRanges(each)) }),
  );
}
