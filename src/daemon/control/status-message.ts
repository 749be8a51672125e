import { type StatusResponse, StatusResponseSchema } from '../../api/gen/control_pb.js';
import { create } from '../../api/message/create.ts';
import type { InitOf } from '../../api/message/schema.ts';
import { timestampFromDate } from '../../api/message/well-known.ts';
import type { ProgressEvent } from './progress-log.ts';

/** One event as Control.Status tells it. */
export function statusMessage({ kind, event }: ProgressEvent): StatusResponse {
  return create(StatusResponseSchema, parts({ kind, event } as ProgressEvent));
}

const time = (date: Date | undefined) => (date ? timestampFromDate(date) : undefined);

function parts({ kind, event }: ProgressEvent): InitOf<typeof StatusResponseSchema> {
  switch (kind) {
    case 'vertex': {
      const { digest, inputs, name, cached, started, completed, error, progressGroup } = event;
      return {
        vertexes: [
          {
            digest,
            inputs: [...inputs],
            name,
            cached,
            error: error ?? '',
            ...optional('started', time(started)),
            ...optional('completed', time(completed)),
            ...optional('progressGroup', progressGroup),
          },
        ],
      };
    }
    case 'status': {
      const { id, vertex, current, total, timestamp, started, completed } = event;
      return {
        statuses: [
          {
            ID: id,
            name: id.split(' ', 1)[0] ?? id,
            vertex,
            current: BigInt(current),
            total: BigInt(total),
            timestamp: timestampFromDate(timestamp),
            started: timestampFromDate(started),
            ...optional('completed', time(completed)),
          },
        ],
      };
    }
    case 'log':
      return {
        logs: [
          {
            vertex: event.vertex,
            timestamp: timestampFromDate(event.timestamp),
            stream: BigInt(event.stream),
            msg: event.bytes,
          },
        ],
      };
    case 'warning':
      return {
        warnings: [
          {
            vertex: event.vertex,
            level: BigInt(event.level),
            short: Buffer.from(event.short),
            detail: event.detail.map((line) => Buffer.from(line)),
            url: event.url,
            ...(event.source
              ? {
                  info: { filename: event.source.filename, data: event.source.data, language: event.source.language },
                  ranges: event.source.ranges.map((range) => ({ start: { ...range.start }, end: { ...range.end } })),
                }
              : {}),
          },
        ],
      };
  }
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}
