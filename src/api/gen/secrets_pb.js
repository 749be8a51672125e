// Generated from src/api/proto/secrets.proto by `npm run generate`.

import { Schema, map } from '../message/schema.ts';
import { service } from '../message/service.ts';

export const GetSecretRequestSchema = new Schema('moby.buildkit.secrets.v1.GetSecretRequest', () => [
  [1, 'ID', 'string'],
  [2, 'annotations', map('string')],
]);

export const GetSecretResponseSchema = new Schema('moby.buildkit.secrets.v1.GetSecretResponse', () => [
  [1, 'data', 'bytes'],
]);

export const Secrets = service('moby.buildkit.secrets.v1.Secrets', [
  ['getSecret', { name: 'GetSecret', methodKind: 'unary', input: GetSecretRequestSchema, output: GetSecretResponseSchema }],
]);
