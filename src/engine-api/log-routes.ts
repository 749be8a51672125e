import type { ServerResponse } from 'node:http';
import { invalidArgument } from '../base/errors.ts';
import type { Containers } from '../container/containers.ts';
import type { LogLine } from '../container/read-logs.ts';
import { multiplexedStream, rawStream } from './attach.ts';
import { drained, flagOf, type Request } from './http.ts';
import { muxFrame } from './mux-frame.ts';
import type { EngineRouter } from './router.ts';

export function addLogRoutes(router: EngineRouter, containers: Containers): void {
  router.add('GET', '/containers/{id}/logs', (request, response) => sendLogs(containers, request, response));
}

async function sendLogs(
  containers: Containers,
  { parameters, query, signal }: Request,
  response: ServerResponse,
): Promise<void> {
  const { id, config } = containers.find(parameters.id ?? '');
  if (!flagOf(query, 'stdout') && !flagOf(query, 'stderr'))
    throw invalidArgument('Bad parameters: you must choose at least one stream');
  const until = logTime(query.get('until'));
  const lines = containers.logs(id, {
    tail: tailOf(query.get('tail')),
    since: logTime(query.get('since')),
    until,
    follow: flagOf(query, 'follow'),
    signal: until === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(millisecondsTo(until))]),
  });
  response.writeHead(200, { 'content-type': config.Tty ? rawStream : multiplexedStream });
  response.flushHeaders();
  try {
    for await (const batch of lines) {
      const bytes = batch
        .filter((line) => flagOf(query, line.stream === 1 ? 'stdout' : 'stderr'))
        .map((line) => frame(line, query, config.Tty === true));
      if (bytes.length > 0 && !response.write(Buffer.concat(bytes))) await drained(response);
    }
  } catch (error) {
    // The client went away, or `until` has come.
    if (!(error instanceof Error) || (!signal.aborted && error.name !== 'TimeoutError')) throw error;
  }
  response.end();
}

function frame({ stream, text, time }: LogLine, query: URLSearchParams, tty: boolean): Uint8Array {
  const bytes = Buffer.from(flagOf(query, 'timestamps') ? `${time} ${text}` : text);
  return tty ? bytes : muxFrame(stream, bytes);
}

/** docker takes what is no number for all. */
function tailOf(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function millisecondsTo(time: string): number {
  return Math.min(Math.max(0, Date.parse(time) - Date.now()), 2 ** 31 - 1);
}

/** `1700000000.000000001` or a date, as the log writes its times. Throws invalid-argument. */
export function logTime(text: string | null): string | undefined {
  if (text === null || text === '' || /^0+(\.0*)?$/.test(text)) return undefined;
  const [, seconds, fraction = ''] = /^(\d{1,12})(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  const date = new Date(seconds === undefined ? text : Number(seconds) * 1000);
  if (Number.isNaN(date.getTime()))
    throw invalidArgument(`invalid value for "since" or "until": ${JSON.stringify(text)}`);
  const iso = date.toISOString();
  return seconds === undefined ? iso.replace('Z', '000000Z') : `${iso.slice(0, 19)}.${fraction.padEnd(9, '0')}Z`;
}
