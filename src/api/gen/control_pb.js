// Generated from src/api/proto/control.proto by `npm run generate`.

import { Schema, list, map } from '../message/schema.ts';
import { service } from '../message/service.ts';
import { TimestampSchema } from '../message/well-known.ts';
import { DefinitionSchema, ProgressGroupSchema, RangeSchema, SourceInfoSchema } from './ops_pb.js';
import { PolicySchema } from './policy_pb.js';
import { StatusSchema } from './rpc_status_pb.js';
import { BuildkitVersionSchema, WorkerRecordSchema } from './worker_pb.js';

export const BuildHistoryEventType = { STARTED: 0, 0: 'STARTED', COMPLETE: 1, 1: 'COMPLETE', DELETED: 2, 2: 'DELETED' };

export const PruneRequestSchema = new Schema('moby.buildkit.v1.PruneRequest', () => [
  [1, 'filter', list('string')],
  [2, 'all', 'bool'],
  [3, 'keepDuration', 'int64'],
  [4, 'reservedSpace', 'int64'],
  [5, 'maxUsedSpace', 'int64'],
  [6, 'minFreeSpace', 'int64'],
]);

export const DiskUsageRequestSchema = new Schema('moby.buildkit.v1.DiskUsageRequest', () => [
  [1, 'filter', list('string')],
  [2, 'ageLimit', 'int64'],
]);

export const DiskUsageResponseSchema = new Schema('moby.buildkit.v1.DiskUsageResponse', () => [
  [1, 'record', list(UsageRecordSchema)],
]);

export const UsageRecordSchema = new Schema('moby.buildkit.v1.UsageRecord', () => [
  [1, 'ID', 'string'],
  [2, 'Mutable', 'bool'],
  [3, 'InUse', 'bool'],
  [4, 'Size', 'int64'],
  [5, 'Parent', 'string'],
  [6, 'CreatedAt', TimestampSchema],
  [7, 'LastUsedAt', TimestampSchema],
  [8, 'UsageCount', 'int64'],
  [9, 'Description', 'string'],
  [10, 'RecordType', 'string'],
  [11, 'Shared', 'bool'],
  [12, 'Parents', list('string')],
]);

export const SolveRequestSchema = new Schema('moby.buildkit.v1.SolveRequest', () => [
  [1, 'Ref', 'string'],
  [2, 'Definition', DefinitionSchema],
  [3, 'ExporterDeprecated', 'string'],
  [4, 'ExporterAttrsDeprecated', map('string')],
  [5, 'Session', 'string'],
  [6, 'Frontend', 'string'],
  [7, 'FrontendAttrs', map('string')],
  [8, 'Cache', CacheOptionsSchema],
  [9, 'Entitlements', list('string')],
  [10, 'FrontendInputs', map(DefinitionSchema)],
  [11, 'Internal', 'bool'],
  [12, 'SourcePolicy', PolicySchema],
  [13, 'Exporters', list(ExporterSchema)],
  [14, 'EnableSessionExporter', 'bool'],
  [15, 'SourcePolicySession', 'string'],
  [16, 'CompatibilityVersion', 'int64'],
  [17, 'ProxyNetwork', 'bool'],
]);

export const CacheOptionsSchema = new Schema('moby.buildkit.v1.CacheOptions', () => [
  [1, 'ExportRefDeprecated', 'string'],
  [2, 'ImportRefsDeprecated', list('string')],
  [3, 'ExportAttrsDeprecated', map('string')],
  [4, 'Exports', list(CacheOptionsEntrySchema)],
  [5, 'Imports', list(CacheOptionsEntrySchema)],
]);

export const CacheOptionsEntrySchema = new Schema('moby.buildkit.v1.CacheOptionsEntry', () => [
  [1, 'Type', 'string'],
  [2, 'Attrs', map('string')],
]);

export const SolveResponseSchema = new Schema('moby.buildkit.v1.SolveResponse', () => [
  [1, 'ExporterResponse', map('string')],
]);

export const StatusRequestSchema = new Schema('moby.buildkit.v1.StatusRequest', () => [
  [1, 'Ref', 'string'],
]);

export const StatusResponseSchema = new Schema('moby.buildkit.v1.StatusResponse', () => [
  [1, 'vertexes', list(VertexSchema)],
  [2, 'statuses', list(VertexStatusSchema)],
  [3, 'logs', list(VertexLogSchema)],
  [4, 'warnings', list(VertexWarningSchema)],
]);

export const VertexSchema = new Schema('moby.buildkit.v1.Vertex', () => [
  [1, 'digest', 'string'],
  [2, 'inputs', list('string')],
  [3, 'name', 'string'],
  [4, 'cached', 'bool'],
  [5, 'started', TimestampSchema],
  [6, 'completed', TimestampSchema],
  [7, 'error', 'string'],
  [8, 'progressGroup', ProgressGroupSchema],
]);

export const VertexStatusSchema = new Schema('moby.buildkit.v1.VertexStatus', () => [
  [1, 'ID', 'string'],
  [2, 'vertex', 'string'],
  [3, 'name', 'string'],
  [4, 'current', 'int64'],
  [5, 'total', 'int64'],
  [6, 'timestamp', TimestampSchema],
  [7, 'started', TimestampSchema],
  [8, 'completed', TimestampSchema],
]);

export const VertexLogSchema = new Schema('moby.buildkit.v1.VertexLog', () => [
  [1, 'vertex', 'string'],
  [2, 'timestamp', TimestampSchema],
  [3, 'stream', 'int64'],
  [4, 'msg', 'bytes'],
]);

export const VertexWarningSchema = new Schema('moby.buildkit.v1.VertexWarning', () => [
  [1, 'vertex', 'string'],
  [2, 'level', 'int64'],
  [3, 'short', 'bytes'],
  [4, 'detail', list('bytes')],
  [5, 'url', 'string'],
  [6, 'info', SourceInfoSchema],
  [7, 'ranges', list(RangeSchema)],
]);

export const BytesMessageSchema = new Schema('moby.buildkit.v1.BytesMessage', () => [
  [1, 'data', 'bytes'],
]);

export const ListWorkersRequestSchema = new Schema('moby.buildkit.v1.ListWorkersRequest', () => [
  [1, 'filter', list('string')],
]);

export const ListWorkersResponseSchema = new Schema('moby.buildkit.v1.ListWorkersResponse', () => [
  [1, 'record', list(WorkerRecordSchema)],
]);

export const InfoRequestSchema = new Schema('moby.buildkit.v1.InfoRequest', () => []);

export const InfoResponseSchema = new Schema('moby.buildkit.v1.InfoResponse', () => [
  [1, 'buildkitVersion', BuildkitVersionSchema],
]);

export const BuildHistoryRequestSchema = new Schema('moby.buildkit.v1.BuildHistoryRequest', () => [
  [1, 'ActiveOnly', 'bool'],
  [2, 'Ref', 'string'],
  [3, 'EarlyExit', 'bool'],
  [4, 'Filter', list('string')],
  [5, 'Limit', 'int32'],
]);

export const BuildHistoryEventSchema = new Schema('moby.buildkit.v1.BuildHistoryEvent', () => [
  [1, 'type', 'enum'],
  [2, 'record', BuildHistoryRecordSchema],
]);

export const BuildHistoryRecordSchema = new Schema('moby.buildkit.v1.BuildHistoryRecord', () => [
  [1, 'Ref', 'string'],
  [2, 'Frontend', 'string'],
  [3, 'FrontendAttrs', map('string')],
  [4, 'Exporters', list(ExporterSchema)],
  [5, 'error', StatusSchema],
  [6, 'CreatedAt', TimestampSchema],
  [7, 'CompletedAt', TimestampSchema],
  [8, 'logs', DescriptorSchema],
  [9, 'ExporterResponse', map('string')],
  [10, 'Result', BuildResultInfoSchema],
  [11, 'Results', map(BuildResultInfoSchema)],
  [12, 'Generation', 'int32'],
  [13, 'trace', DescriptorSchema],
  [14, 'pinned', 'bool'],
  [15, 'numCachedSteps', 'int32'],
  [16, 'numTotalSteps', 'int32'],
  [17, 'numCompletedSteps', 'int32'],
  [18, 'externalError', DescriptorSchema],
  [19, 'numWarnings', 'int32'],
]);

export const UpdateBuildHistoryRequestSchema = new Schema('moby.buildkit.v1.UpdateBuildHistoryRequest', () => [
  [1, 'Ref', 'string'],
  [2, 'Pinned', 'bool'],
  [3, 'Delete', 'bool'],
  [4, 'Finalize', 'bool'],
]);

export const UpdateBuildHistoryResponseSchema = new Schema('moby.buildkit.v1.UpdateBuildHistoryResponse', () => []);

export const DescriptorSchema = new Schema('moby.buildkit.v1.Descriptor', () => [
  [1, 'mediaType', 'string'],
  [2, 'digest', 'string'],
  [3, 'size', 'int64'],
  [5, 'annotations', map('string')],
]);

export const BuildResultInfoSchema = new Schema('moby.buildkit.v1.BuildResultInfo', () => [
  [1, 'ResultDeprecated', DescriptorSchema],
  [2, 'Attestations', list(DescriptorSchema)],
  [3, 'Results', map(DescriptorSchema, 'int64')],
]);

export const ExporterSchema = new Schema('moby.buildkit.v1.Exporter', () => [
  [1, 'Type', 'string'],
  [2, 'Attrs', map('string')],
]);

export const Control = service('moby.buildkit.v1.Control', [
  ['diskUsage', { name: 'DiskUsage', methodKind: 'unary', input: DiskUsageRequestSchema, output: DiskUsageResponseSchema }],
  ['prune', { name: 'Prune', methodKind: 'server_streaming', input: PruneRequestSchema, output: UsageRecordSchema }],
  ['solve', { name: 'Solve', methodKind: 'unary', input: SolveRequestSchema, output: SolveResponseSchema }],
  ['status', { name: 'Status', methodKind: 'server_streaming', input: StatusRequestSchema, output: StatusResponseSchema }],
  ['session', { name: 'Session', methodKind: 'bidi_streaming', input: BytesMessageSchema, output: BytesMessageSchema }],
  ['listWorkers', { name: 'ListWorkers', methodKind: 'unary', input: ListWorkersRequestSchema, output: ListWorkersResponseSchema }],
  ['info', { name: 'Info', methodKind: 'unary', input: InfoRequestSchema, output: InfoResponseSchema }],
  ['listenBuildHistory', { name: 'ListenBuildHistory', methodKind: 'server_streaming', input: BuildHistoryRequestSchema, output: BuildHistoryEventSchema }],
  ['updateBuildHistory', { name: 'UpdateBuildHistory', methodKind: 'unary', input: UpdateBuildHistoryRequestSchema, output: UpdateBuildHistoryResponseSchema }],
]);
