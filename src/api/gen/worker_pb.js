// Generated from src/api/proto/worker.proto by `npm run generate`.

import { Schema, list, map } from '../message/schema.ts';
import { PlatformSchema } from './ops_pb.js';

export const WorkerRecordSchema = new Schema('moby.buildkit.v1.types.WorkerRecord', () => [
  [1, 'ID', 'string'],
  [2, 'Labels', map('string')],
  [3, 'platforms', list(PlatformSchema)],
  [4, 'GCPolicy', list(GCPolicySchema)],
  [5, 'BuildkitVersion', BuildkitVersionSchema],
  [6, 'CDIDevices', list(CDIDeviceSchema)],
]);

export const GCPolicySchema = new Schema('moby.buildkit.v1.types.GCPolicy', () => [
  [1, 'all', 'bool'],
  [2, 'keepDuration', 'int64'],
  [3, 'reservedSpace', 'int64'],
  [4, 'filters', list('string')],
  [5, 'maxUsedSpace', 'int64'],
  [6, 'minFreeSpace', 'int64'],
]);

export const BuildkitVersionSchema = new Schema('moby.buildkit.v1.types.BuildkitVersion', () => [
  [1, 'package', 'string'],
  [2, 'version', 'string'],
  [3, 'revision', 'string'],
  [4, 'dockerfileVersion', 'string'],
]);

export const CDIDeviceSchema = new Schema('moby.buildkit.v1.types.CDIDevice', () => [
  [1, 'Name', 'string'],
  [2, 'AutoAllow', 'bool'],
  [3, 'Annotations', map('string')],
  [4, 'OnDemand', 'bool'],
]);
