// Generated from src/api/proto/rpc_status.proto by `npm run generate`.

import { Schema, list } from '../message/schema.ts';
import { AnySchema } from '../message/well-known.ts';

export const StatusSchema = new Schema('google.rpc.Status', () => [
  [1, 'code', 'int32'],
  [2, 'message', 'string'],
  [3, 'details', list(AnySchema)],
]);
