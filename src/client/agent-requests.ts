import type { Duplex } from 'node:stream';
import { invalidArgument } from '../base/errors.ts';

/** SSH_AGENTC_REQUEST_IDENTITIES and SSH_AGENTC_SIGN_REQUEST (draft-ietf-sshm-ssh-agent, message numbers). */
const allowed: ReadonlySet<number | undefined> = new Set([11, 13]);
/** SSH_AGENT_FAILURE in a message of its own. */
const failure = Buffer.from([0, 0, 0, 1, 5]);
/** Of one message, as OpenSSH has it. Bytes. */
const messageLimit = 256 * 1024;

/**
 * Carries what a step asks an ssh agent: to list its keys and to sign with them. Whatever would change the agent (adding and removing keys,
 * locking, extensions) is answered with a failure and never reaches it. Ends when either side does. Throws invalid-argument for what
 * is no message of an agent.
 */
export async function relayAgentRequests(step: Duplex, agent: Duplex): Promise<void> {
  const answers = messagesOf(agent);
  for await (const request of messagesOf(step)) {
    if (!allowed.has(request[4])) {
      step.write(failure);
      continue;
    }
    agent.write(request);
    const answer = await answers.next();
    if (answer.done) return;
    step.write(answer.value);
  }
}

/** Messages with the four bytes of length before each. */
async function* messagesOf(stream: Duplex): AsyncGenerator<Buffer, void> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of stream) {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 4) {
      const length = bytes.readUInt32BE();
      if (length > messageLimit) throw invalidArgument(`cannot carry a message of ${length} bytes to the ssh agent`);
      if (bytes.length < length + 4) break;
      yield bytes.subarray(0, length + 4);
      bytes = bytes.subarray(length + 4);
    }
  }
}
