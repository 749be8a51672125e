import type { ClientRequest, IncomingMessage } from 'node:http';
import { SlipwayError } from '../base/errors.ts';
import type { HttpRequest, HttpResponse } from './http-transport.ts';
import { connectionError, RegistryError, shownUrl } from './registry-error.ts';
import type { StallWatch } from './stall-watch.ts';

/** An answer whose headers have come; its body is read as the consumer asks for it. */
export function createResponse(
  { url, signal }: HttpRequest,
  outgoing: ClientRequest,
  incoming: IncomingMessage,
  watch: StallWatch,
): HttpResponse {
  const body = readBody(url, outgoing, incoming, watch, signal);
  return {
    url,
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body,
    async readAll(limit) {
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of body) {
        size += chunk.length;
        if (size > limit) {
          const message = `cannot read from "${shownUrl(url)}": the answer is larger than the limit of ${limit} bytes`;
          throw new RegistryError('resource-exhausted', message);
        }
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    },
    discard() {
      incoming.on('error', () => {});
      const length = Number(incoming.headers['content-length'] ?? Number.NaN);
      if (outgoing.writableFinished && (length <= 65_536 || outgoing.method === 'HEAD')) incoming.resume();
      else outgoing.destroy();
    },
  };
}

async function* readBody(
  url: URL,
  outgoing: ClientRequest,
  incoming: IncomingMessage,
  watch: StallWatch,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  const chunks = incoming.iterator({ destroyOnReturn: true }) as AsyncIterator<Uint8Array>;
  let complete = false;
  try {
    for (;;) {
      watch.start();
      const next = await chunks.next();
      watch.stop();
      if (next.done) break;
      yield next.value;
    }
    complete = incoming.complete;
    if (!complete)
      throw new RegistryError('unavailable', `cannot read from "${shownUrl(url)}": the answer was cut short`, {
        transient: true,
      });
  } catch (error) {
    throw transportError(url, error, signal);
  } finally {
    watch.stop();
    if (!complete || !outgoing.writableFinished) outgoing.destroy();
  }
}

/** Says the peer's failures in our words; leaves our own as they are. */
export function transportError(url: URL, error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (!(error instanceof Error)) return error;
  // Our own errors, and those of the body's source, say it better than the wire does.
  if (error instanceof SlipwayError || error.name === 'AbortError') return error;
  return 'code' in error ? connectionError(url, error) : error;
}
