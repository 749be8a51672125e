// Generated from src/api/proto/health.proto by `npm run generate`.

import { Schema } from '../message/schema.ts';
import { service } from '../message/service.ts';

export const HealthCheckRequestSchema = new Schema('grpc.health.v1.HealthCheckRequest', () => [
  [1, 'service', 'string'],
]);

export const HealthCheckResponse_ServingStatus = { UNKNOWN: 0, 0: 'UNKNOWN', SERVING: 1, 1: 'SERVING', NOT_SERVING: 2, 2: 'NOT_SERVING', SERVICE_UNKNOWN: 3, 3: 'SERVICE_UNKNOWN' };

export const HealthCheckResponseSchema = new Schema('grpc.health.v1.HealthCheckResponse', () => [
  [1, 'status', 'enum'],
]);

export const Health = service('grpc.health.v1.Health', [
  ['check', { name: 'Check', methodKind: 'unary', input: HealthCheckRequestSchema, output: HealthCheckResponseSchema }],
  ['watch', { name: 'Watch', methodKind: 'server_streaming', input: HealthCheckRequestSchema, output: HealthCheckResponseSchema }],
]);
