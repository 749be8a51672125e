// Generated from src/api/proto/errdefs.proto by `npm run generate`.

import { Schema, list, map } from '../message/schema.ts';
import { OpSchema, RangeSchema, SourceInfoSchema } from './ops_pb.js';

export const VertexSchema = new Schema('errdefs.Vertex', () => [
  [1, 'digest', 'string'],
]);

export const SourceSchema = new Schema('errdefs.Source', () => [
  [1, 'info', SourceInfoSchema],
  [2, 'ranges', list(RangeSchema)],
]);

export const FrontendSchema = new Schema('errdefs.Frontend', () => [
  [1, 'name', 'string'],
  [2, 'source', 'string'],
]);

export const FrontendCapSchema = new Schema('errdefs.FrontendCap', () => [
  [1, 'name', 'string'],
]);

export const SubrequestSchema = new Schema('errdefs.Subrequest', () => [
  [1, 'name', 'string'],
]);

export const SolveSchema = new Schema('errdefs.Solve', () => [
  [1, 'inputIDs', list('string')],
  [2, 'mountIDs', list('string')],
  [3, 'op', OpSchema],
  [4, 'file', FileActionSchema, 'subject'],
  [5, 'cache', ContentCacheSchema, 'subject'],
  [6, 'description', map('string')],
]);

export const FileActionSchema = new Schema('errdefs.FileAction', () => [
  [1, 'index', 'int64'],
]);

export const ContentCacheSchema = new Schema('errdefs.ContentCache', () => [
  [1, 'index', 'int64'],
]);
