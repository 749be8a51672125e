// Generated from src/api/proto/upload.proto by `npm run generate`.

import { Schema } from '../message/schema.ts';
import { service } from '../message/service.ts';

export const BytesMessageSchema = new Schema('moby.upload.v1.BytesMessage', () => [
  [1, 'data', 'bytes'],
]);

export const Upload = service('moby.upload.v1.Upload', [
  ['pull', { name: 'Pull', methodKind: 'bidi_streaming', input: BytesMessageSchema, output: BytesMessageSchema }],
]);
