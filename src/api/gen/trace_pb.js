// Generated from src/api/proto/trace.proto by `npm run generate`.

import { Schema } from '../message/schema.ts';
import { service } from '../message/service.ts';

export const ExportTraceServiceRequestSchema = new Schema('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest', () => []);

export const ExportTraceServiceResponseSchema = new Schema('opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse', () => []);

export const TraceService = service('opentelemetry.proto.collector.trace.v1.TraceService', [
  ['export', { name: 'Export', methodKind: 'unary', input: ExportTraceServiceRequestSchema, output: ExportTraceServiceResponseSchema }],
]);
