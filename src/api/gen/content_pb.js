// Generated from src/api/proto/content.proto by `npm run generate`.

import { Schema, list, map } from '../message/schema.ts';
import { service } from '../message/service.ts';
import { EmptySchema, FieldMaskSchema, TimestampSchema } from '../message/well-known.ts';

export const WriteAction = { STAT: 0, 0: 'STAT', WRITE: 1, 1: 'WRITE', COMMIT: 2, 2: 'COMMIT' };

export const InfoSchema = new Schema('containerd.services.content.v1.Info', () => [
  [1, 'digest', 'string'],
  [2, 'size', 'int64'],
  [3, 'createdAt', TimestampSchema],
  [4, 'updatedAt', TimestampSchema],
  [5, 'labels', map('string')],
]);

export const InfoRequestSchema = new Schema('containerd.services.content.v1.InfoRequest', () => [
  [1, 'digest', 'string'],
]);

export const InfoResponseSchema = new Schema('containerd.services.content.v1.InfoResponse', () => [
  [1, 'info', InfoSchema],
]);

export const UpdateRequestSchema = new Schema('containerd.services.content.v1.UpdateRequest', () => [
  [1, 'info', InfoSchema],
  [2, 'updateMask', FieldMaskSchema],
]);

export const UpdateResponseSchema = new Schema('containerd.services.content.v1.UpdateResponse', () => [
  [1, 'info', InfoSchema],
]);

export const ListContentRequestSchema = new Schema('containerd.services.content.v1.ListContentRequest', () => [
  [1, 'filters', list('string')],
]);

export const ListContentResponseSchema = new Schema('containerd.services.content.v1.ListContentResponse', () => [
  [1, 'info', list(InfoSchema)],
]);

export const DeleteContentRequestSchema = new Schema('containerd.services.content.v1.DeleteContentRequest', () => [
  [1, 'digest', 'string'],
]);

export const ReadContentRequestSchema = new Schema('containerd.services.content.v1.ReadContentRequest', () => [
  [1, 'digest', 'string'],
  [2, 'offset', 'int64'],
  [3, 'size', 'int64'],
]);

export const ReadContentResponseSchema = new Schema('containerd.services.content.v1.ReadContentResponse', () => [
  [1, 'offset', 'int64'],
  [2, 'data', 'bytes'],
]);

export const StatusSchema = new Schema('containerd.services.content.v1.Status', () => [
  [1, 'startedAt', TimestampSchema],
  [2, 'updatedAt', TimestampSchema],
  [3, 'ref', 'string'],
  [4, 'offset', 'int64'],
  [5, 'total', 'int64'],
  [6, 'expected', 'string'],
]);

export const StatusRequestSchema = new Schema('containerd.services.content.v1.StatusRequest', () => [
  [1, 'ref', 'string'],
]);

export const StatusResponseSchema = new Schema('containerd.services.content.v1.StatusResponse', () => [
  [1, 'status', StatusSchema],
]);

export const ListStatusesRequestSchema = new Schema('containerd.services.content.v1.ListStatusesRequest', () => [
  [1, 'filters', list('string')],
]);

export const ListStatusesResponseSchema = new Schema('containerd.services.content.v1.ListStatusesResponse', () => [
  [1, 'statuses', list(StatusSchema)],
]);

export const WriteContentRequestSchema = new Schema('containerd.services.content.v1.WriteContentRequest', () => [
  [1, 'action', 'enum'],
  [2, 'ref', 'string'],
  [3, 'total', 'int64'],
  [4, 'expected', 'string'],
  [5, 'offset', 'int64'],
  [6, 'data', 'bytes'],
  [7, 'labels', map('string')],
]);

export const WriteContentResponseSchema = new Schema('containerd.services.content.v1.WriteContentResponse', () => [
  [1, 'action', 'enum'],
  [2, 'startedAt', TimestampSchema],
  [3, 'updatedAt', TimestampSchema],
  [4, 'offset', 'int64'],
  [5, 'total', 'int64'],
  [6, 'digest', 'string'],
]);

export const AbortRequestSchema = new Schema('containerd.services.content.v1.AbortRequest', () => [
  [1, 'ref', 'string'],
]);

export const Content = service('containerd.services.content.v1.Content', [
  ['info', { name: 'Info', methodKind: 'unary', input: InfoRequestSchema, output: InfoResponseSchema }],
  ['update', { name: 'Update', methodKind: 'unary', input: UpdateRequestSchema, output: UpdateResponseSchema }],
  ['list', { name: 'List', methodKind: 'server_streaming', input: ListContentRequestSchema, output: ListContentResponseSchema }],
  ['delete', { name: 'Delete', methodKind: 'unary', input: DeleteContentRequestSchema, output: EmptySchema }],
  ['read', { name: 'Read', methodKind: 'server_streaming', input: ReadContentRequestSchema, output: ReadContentResponseSchema }],
  ['status', { name: 'Status', methodKind: 'unary', input: StatusRequestSchema, output: StatusResponseSchema }],
  ['listStatuses', { name: 'ListStatuses', methodKind: 'unary', input: ListStatusesRequestSchema, output: ListStatusesResponseSchema }],
  ['write', { name: 'Write', methodKind: 'bidi_streaming', input: WriteContentRequestSchema, output: WriteContentResponseSchema }],
  ['abort', { name: 'Abort', methodKind: 'unary', input: AbortRequestSchema, output: EmptySchema }],
]);
