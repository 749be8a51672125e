import type { StatusResponse, VertexWarning } from '../../api/gen/control_pb.js';
import { type Timestamp, timestampDate } from '../../api/message/well-known.ts';
import type { ProgressUpdate, ProgressWarning } from './events.ts';

/** Progress as the wire brings it (`Control.Status`), as plain values. */
export function progressOf(response: StatusResponse): ProgressUpdate {
  return {
    vertexes: response.vertexes.map(
      ({ digest, inputs, name, started, completed, cached, error, progressGroup: group }) => ({
        digest,
        inputs,
        name,
        started: dateOf(started),
        completed: dateOf(completed),
        cached,
        error,
        progressGroup: group && { id: group.id, name: group.name, weak: group.weak },
      }),
    ),
    statuses: response.statuses.map(({ ID, vertex, name, current, total, timestamp, started, completed }) => ({
      id: ID,
      vertex,
      name,
      current: Number(current),
      total: Number(total),
      timestamp: dateOf(timestamp) ?? new Date(0),
      started: dateOf(started),
      completed: dateOf(completed),
    })),
    logs: response.logs.map(({ vertex, stream, msg, timestamp }) => ({
      vertex,
      stream: Number(stream),
      data: msg,
      timestamp: dateOf(timestamp) ?? new Date(0),
    })),
    warnings: response.warnings.map(warningOf),
  };
}

function warningOf({ vertex, level, short, detail, url, info, ranges }: VertexWarning): ProgressWarning {
  const lines = ranges.map(({ start, end }) => ({ startLine: start?.line ?? 0, endLine: end?.line ?? 0 }));
  return {
    vertex,
    level: Number(level),
    short: textOf(short),
    detail: detail.map(textOf),
    url,
    source: info && { filename: info.filename, text: textOf(info.data), ranges: lines },
  };
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
const dateOf = (timestamp: Timestamp | undefined) => timestamp && timestampDate(timestamp);
