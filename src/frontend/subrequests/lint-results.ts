import { errorMessage, SlipwayError } from '../../base/errors.ts';
import { type Diagnostic, DockerfileError, drawSource } from '../../dockerfile/diagnostic.ts';
import type { SourceRange } from '../../dockerfile/instruction.ts';
import type { SourceFile } from '../../graph/definition.ts';
import type { FrontendResult } from '../frontend.ts';
import { SourceError } from '../source-error.ts';
import { type LocationJson, locationOf } from './location.ts';
import { answer } from './requests.ts';

/** `result.json` of `frontend.lint`. */
export interface LintResults {
  readonly warnings: readonly LintWarning[] | null;
  readonly sources: readonly { readonly filename: string; readonly data: string; readonly language: string }[];
  readonly buildError?: { readonly message: string; readonly location: LocationJson };
}

export interface LintWarning {
  readonly ruleName: string;
  readonly description?: string;
  readonly url?: string;
  readonly detail: string;
  readonly location: LocationJson;
}

/** Warnings and what the build would fail with. */
export function lintResult(
  { filename, data, language }: SourceFile,
  warnings: readonly Diagnostic[],
  failure: unknown,
): FrontendResult {
  const sources = [{ filename, data: Buffer.from(data).toString('base64'), language }];
  const results: LintResults = {
    warnings: warnings.length === 0 ? null : warnings.map(warningJson),
    sources,
    ...(failure === undefined ? {} : { buildError: { message: messageOf(failure), location: placeOf(failure) } }),
  };
  const status = warnings.length > 0 || failure !== undefined ? 1 : 0;
  return answer(results, drawLintWarnings(results, filename), status);
}

/** Throws internal for what is no answer of a linter. */
export function readLintResults(json: string): LintResults {
  const results: unknown = JSON.parse(json === '' ? '{}' : json);
  if (typeof results !== 'object' || results === null)
    throw new SlipwayError('internal', 'the linter answered nonsense');
  return { warnings: null, sources: [], ...results };
}

function warningJson({ rule, description, url, message, range }: Diagnostic): LintWarning {
  return {
    ruleName: rule,
    ...(description ? { description } : {}),
    ...(url ? { url } : {}),
    detail: message,
    location: locationOf(range),
  };
}

/** A suggestion is a part of the message for BuildKit's clients. */
function messageOf(error: unknown): string {
  const hint = error instanceof SlipwayError && error.hint?.startsWith('did you mean') ? ` (${error.hint})` : '';
  return `${errorMessage(error)}${hint}`;
}

function placeOf(error: unknown): LocationJson {
  const places =
    error instanceof SourceError
      ? error.ranges
      : error instanceof DockerfileError
        ? error.diagnostics.map(({ range }) => range)
        : [];
  return places.length === 0 ? {} : { ranges: places.flatMap((range) => locationOf(range).ranges ?? []) };
}

/** The warnings as people read them, under the name that they know the file by. */
export function drawLintWarnings({ warnings, sources }: LintResults, filename: string): string {
  const source = decodeSource(sources);
  return (warnings ?? [])
    .map(({ ruleName, url, detail, location }) => {
      const more = url === undefined ? '' : ` - ${url}`;
      return `\nWARNING: ${ruleName}${more}\n${detail}\n${drawPlace(source, filename, location)}`;
    })
    .join('');
}

/** What the build would fail with; empty when it would not. */
export function drawLintError({ buildError, sources }: LintResults, filename: string): string {
  if (!buildError) return '';
  return `${buildError.message}\n${drawPlace(decodeSource(sources), filename, buildError.location)}`;
}

function decodeSource([source]: LintResults['sources']): string {
  return Buffer.from(source?.data ?? '', 'base64').toString('utf8');
}

function drawPlace(source: string, filename: string, { ranges = [] }: LocationJson): string {
  const lines = ranges.map(({ start, end }): Pick<SourceRange, 'startLine' | 'endLine'> => {
    const startLine = start.line ?? 0;
    return { startLine, endLine: Math.max(startLine, end.line ?? 0) };
  });
  const drawn = drawSource(source, filename, lines);
  return drawn === '' ? '' : `${drawn}\n`;
}
