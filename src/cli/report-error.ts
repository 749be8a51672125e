import { fromBinary } from '@bufbuild/protobuf';
import { SourceSchema } from '../api/gen/errdefs_pb.js';
import { StatusError } from '../api/grpc/status.ts';
import { errorMessage, SlipwayError } from '../base/errors.ts';
import { drawSource } from '../dockerfile/diagnostic.ts';
import { cleanLines } from './progress/terminal-text.ts';

/** Ctrl-C, as a shell tells it. */
export const interruptedExit = 130;

/** One error on stderr; answers the exit code. */
export function reportError(error: unknown, exit = 1): number {
  if (error instanceof SlipwayError && error.code === 'canceled') {
    process.stderr.write('ERROR: canceled\n');
    return interruptedExit;
  }
  const hint = error instanceof SlipwayError && error.hint !== undefined ? `\n${cleanLines(error.hint)}` : '';
  const excerpt = error instanceof StatusError ? sourceExcerpt(error) : '';
  // Words of registries and of other people's files are among them.
  process.stderr.write(`${excerpt}slipway: ${cleanLines(errorMessage(error))}${hint}\n`);
  return exit;
}

/** The lines of the user's file that a build error points to. */
export function sourceExcerpt(error: StatusError): string {
  for (const detail of error.details) {
    if (!detail.typeUrl.endsWith('/errdefs.Source')) continue;
    const { info, ranges } = fromBinary(SourceSchema, detail.value);
    if (!info || ranges.length === 0) continue;
    const lines = ranges.map(({ start, end }) => ({
      startLine: start?.line ?? 1,
      endLine: end?.line ?? start?.line ?? 1,
    }));
    return `${cleanLines(drawSource(Buffer.from(info.data).toString('utf8'), info.filename, lines))}\n`;
  }
  return '';
}
