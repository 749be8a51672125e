// Generated from src/api/proto/caps.proto by `npm run generate`.

import { Schema } from '../message/schema.ts';

export const APICapSchema = new Schema('moby.buildkit.v1.apicaps.APICap', () => [
  [1, 'ID', 'string'],
  [2, 'Enabled', 'bool'],
  [3, 'Deprecated', 'bool'],
  [4, 'DisabledReason', 'string'],
  [5, 'DisabledReasonMsg', 'string'],
  [6, 'DisabledAlternative', 'string'],
]);
