import { SourceSchema } from '../../api/gen/errdefs_pb.js';
import type { StatusError } from '../../api/grpc/status.ts';
import { fromBinary } from '../../api/message/decode.ts';
import { drawSource } from '../../dockerfile/diagnostic.ts';
import { cleanLines } from '../progress/terminal-text.ts';

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
