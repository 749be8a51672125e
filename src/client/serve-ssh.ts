import { connect } from 'node:net';
import { SSH } from '../api/gen/ssh_pb.js';
import type { CallContext, Router } from '../api/grpc/router.ts';
import { type BytesMessage, Tunnel } from '../api/grpc/tunnel.ts';
import { sshIdHeader } from '../api/session/ask-client.ts';
import { errorMessage, notFound, SlipwayError } from '../base/errors.ts';
import { relayAgentRequests } from './agent-requests.ts';

/** Lets steps talk to these ssh agents: the agent's socket by the id of `--ssh`. */
export function serveSshAgents(router: Router, sockets: ReadonlyMap<string, string>): void {
  const socketOf = (id: string) => {
    const path = sockets.get(id || 'default');
    if (path === undefined) throw notFound(`ssh agent "${id || 'default'}" is not offered`);
    return path;
  };
  router.add(SSH, {
    checkAgent({ ID }) {
      socketOf(ID);
      return {};
    },
    forwardAgent: (messages, context) => forward(messages, context, socketOf(context.values(sshIdHeader)[0] ?? '')),
  });
}

async function* forward(
  messages: AsyncIterable<BytesMessage>,
  context: CallContext,
  path: string,
): AsyncGenerator<BytesMessage, void> {
  const agent = connect(path);
  await new Promise<void>((resolve, reject) => {
    agent.once('connect', resolve);
    agent.once('error', (error) =>
      reject(new SlipwayError('unavailable', `cannot reach the ssh agent at "${path}": ${errorMessage(error)}`)),
    );
  });
  context.sendHeaders();
  const tunnel = new Tunnel(messages);
  const end = () => {
    agent.destroy();
    tunnel.destroy();
  };
  agent.on('error', end);
  tunnel.on('error', end);
  context.signal.addEventListener('abort', end, { once: true });
  relayAgentRequests(tunnel, agent).then(
    () => {
      agent.destroy();
      tunnel.end();
    },
    () => end(),
  );
  yield* tunnel.outgoing;
}
