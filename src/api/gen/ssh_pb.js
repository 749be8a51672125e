// Generated from src/api/proto/ssh.proto by `npm run generate`.

import { Schema } from '../message/schema.ts';
import { service } from '../message/service.ts';

export const BytesMessageSchema = new Schema('moby.sshforward.v1.BytesMessage', () => [
  [1, 'data', 'bytes'],
]);

export const CheckAgentRequestSchema = new Schema('moby.sshforward.v1.CheckAgentRequest', () => [
  [1, 'ID', 'string'],
]);

export const CheckAgentResponseSchema = new Schema('moby.sshforward.v1.CheckAgentResponse', () => []);

export const SSH = service('moby.sshforward.v1.SSH', [
  ['checkAgent', { name: 'CheckAgent', methodKind: 'unary', input: CheckAgentRequestSchema, output: CheckAgentResponseSchema }],
  ['forwardAgent', { name: 'ForwardAgent', methodKind: 'bidi_streaming', input: BytesMessageSchema, output: BytesMessageSchema }],
]);
