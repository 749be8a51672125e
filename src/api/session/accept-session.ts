import type { CallContext } from '../grpc/router.ts';
import { type BytesMessage, Tunnel } from '../grpc/tunnel.ts';
import { readGreeting } from './session-headers.ts';
import type { SessionManager } from './session-manager.ts';

/** The handler of `Control.Session`: inside the stream the client is the server, until it closes. */
export async function* acceptSession(
  manager: SessionManager,
  messages: AsyncIterable<BytesMessage>,
  context: CallContext,
): AsyncGenerator<BytesMessage, void> {
  const greeting = readGreeting(context.values);
  const tunnel = new Tunnel(messages);
  const served = manager.serve(tunnel, greeting);
  // Some clients serve only once the stream is accepted.
  context.sendHeaders();
  served.catch((error: unknown) => tunnel.destroy(error instanceof Error ? error : undefined));
  tunnel.on('error', () => {});
  yield* tunnel.outgoing;
  await served;
}
