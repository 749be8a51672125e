// Generated from src/api/proto/ops.proto by `npm run generate`.

import { Schema, list, map } from '../message/schema.ts';

export const NetMode = { UNSET: 0, 0: 'UNSET', HOST: 1, 1: 'HOST', NONE: 2, 2: 'NONE' };

export const SecurityMode = { SANDBOX: 0, 0: 'SANDBOX', INSECURE: 1, 1: 'INSECURE' };

export const MountType = { BIND: 0, 0: 'BIND', SECRET: 1, 1: 'SECRET', SSH: 2, 2: 'SSH', CACHE: 3, 3: 'CACHE', TMPFS: 4, 4: 'TMPFS' };

export const MountContentCache = { DEFAULT: 0, 0: 'DEFAULT', ON: 1, 1: 'ON', OFF: 2, 2: 'OFF' };

export const CacheSharingOpt = { SHARED: 0, 0: 'SHARED', PRIVATE: 1, 1: 'PRIVATE', LOCKED: 2, 2: 'LOCKED' };

export const OpSchema = new Schema('pb.Op', () => [
  [1, 'inputs', list(InputSchema)],
  [2, 'exec', ExecOpSchema, 'op'],
  [3, 'source', SourceOpSchema, 'op'],
  [4, 'file', FileOpSchema, 'op'],
  [5, 'build', BuildOpSchema, 'op'],
  [6, 'merge', MergeOpSchema, 'op'],
  [7, 'diff', DiffOpSchema, 'op'],
  [8, 'passthrough', PassthroughOpSchema, 'op'],
  [10, 'platform', PlatformSchema],
  [11, 'constraints', WorkerConstraintsSchema],
]);

export const PlatformSchema = new Schema('pb.Platform', () => [
  [1, 'Architecture', 'string'],
  [2, 'OS', 'string'],
  [3, 'Variant', 'string'],
  [4, 'OSVersion', 'string'],
  [5, 'OSFeatures', list('string')],
]);

export const InputSchema = new Schema('pb.Input', () => [
  [1, 'digest', 'string'],
  [2, 'index', 'int64'],
]);

export const ExecOpSchema = new Schema('pb.ExecOp', () => [
  [1, 'meta', MetaSchema],
  [2, 'mounts', list(MountSchema)],
  [3, 'network', 'enum'],
  [4, 'security', 'enum'],
  [5, 'secretenv', list(SecretEnvSchema)],
  [6, 'cdiDevices', list(CDIDeviceSchema)],
]);

export const MetaSchema = new Schema('pb.Meta', () => [
  [1, 'args', list('string')],
  [2, 'env', list('string')],
  [3, 'cwd', 'string'],
  [4, 'user', 'string'],
  [5, 'proxyEnv', ProxyEnvSchema],
  [6, 'extraHosts', list(HostIPSchema)],
  [7, 'hostname', 'string'],
  [9, 'ulimit', list(UlimitSchema)],
  [10, 'cgroupParent', 'string'],
  [11, 'removeMountStubsRecursive', 'bool'],
  [12, 'validExitCodes', list('int32')],
]);

export const HostIPSchema = new Schema('pb.HostIP', () => [
  [1, 'Host', 'string'],
  [2, 'IP', 'string'],
]);

export const UlimitSchema = new Schema('pb.Ulimit', () => [
  [1, 'Name', 'string'],
  [2, 'Soft', 'int64'],
  [3, 'Hard', 'int64'],
]);

export const SecretEnvSchema = new Schema('pb.SecretEnv', () => [
  [1, 'ID', 'string'],
  [2, 'name', 'string'],
  [3, 'optional', 'bool'],
]);

export const CDIDeviceSchema = new Schema('pb.CDIDevice', () => [
  [1, 'name', 'string'],
  [2, 'optional', 'bool'],
]);

export const MountSchema = new Schema('pb.Mount', () => [
  [1, 'input', 'int64'],
  [2, 'selector', 'string'],
  [3, 'dest', 'string'],
  [4, 'output', 'int64'],
  [5, 'readonly', 'bool'],
  [6, 'mountType', 'enum'],
  [19, 'TmpfsOpt', TmpfsOptSchema],
  [20, 'cacheOpt', CacheOptSchema],
  [21, 'secretOpt', SecretOptSchema],
  [22, 'SSHOpt', SSHOptSchema],
  [23, 'resultID', 'string'],
  [24, 'contentCache', 'enum'],
]);

export const TmpfsOptSchema = new Schema('pb.TmpfsOpt', () => [
  [1, 'size', 'int64'],
]);

export const CacheOptSchema = new Schema('pb.CacheOpt', () => [
  [1, 'ID', 'string'],
  [2, 'sharing', 'enum'],
]);

export const SecretOptSchema = new Schema('pb.SecretOpt', () => [
  [1, 'ID', 'string'],
  [2, 'uid', 'uint32'],
  [3, 'gid', 'uint32'],
  [4, 'mode', 'uint32'],
  [5, 'optional', 'bool'],
]);

export const SSHOptSchema = new Schema('pb.SSHOpt', () => [
  [1, 'ID', 'string'],
  [2, 'uid', 'uint32'],
  [3, 'gid', 'uint32'],
  [4, 'mode', 'uint32'],
  [5, 'optional', 'bool'],
]);

export const SourceOpSchema = new Schema('pb.SourceOp', () => [
  [1, 'identifier', 'string'],
  [2, 'attrs', map('string')],
]);

export const BuildOpSchema = new Schema('pb.BuildOp', () => [
  [1, 'builder', 'int64'],
  [2, 'inputs', map(BuildInputSchema)],
  [3, 'def', DefinitionSchema],
  [4, 'attrs', map('string')],
]);

export const BuildInputSchema = new Schema('pb.BuildInput', () => [
  [1, 'input', 'int64'],
]);

export const OpMetadataSchema = new Schema('pb.OpMetadata', () => [
  [1, 'ignoreCache', 'bool'],
  [2, 'description', map('string')],
  [4, 'exportCache', ExportCacheSchema],
  [5, 'caps', map('bool')],
  [6, 'progressGroup', ProgressGroupSchema],
  [7, 'linuxResources', LinuxResourcesSchema],
]);

export const LinuxResourcesSchema = new Schema('pb.LinuxResources', () => [
  [1, 'memory', 'int64'],
  [2, 'memorySwap', 'int64'],
  [3, 'cpuShares', 'uint64'],
  [4, 'cpuPeriod', 'uint64'],
  [5, 'cpuQuota', 'int64'],
  [6, 'cpusetCpus', 'string'],
  [7, 'cpusetMems', 'string'],
]);

export const SourceSchema = new Schema('pb.Source', () => [
  [1, 'locations', map(LocationsSchema)],
  [2, 'infos', list(SourceInfoSchema)],
]);

export const LocationsSchema = new Schema('pb.Locations', () => [
  [1, 'locations', list(LocationSchema)],
]);

export const SourceInfoSchema = new Schema('pb.SourceInfo', () => [
  [1, 'filename', 'string'],
  [2, 'data', 'bytes'],
  [3, 'definition', DefinitionSchema],
  [4, 'language', 'string'],
]);

export const LocationSchema = new Schema('pb.Location', () => [
  [1, 'sourceIndex', 'int32'],
  [2, 'ranges', list(RangeSchema)],
]);

export const RangeSchema = new Schema('pb.Range', () => [
  [1, 'start', PositionSchema],
  [2, 'end', PositionSchema],
]);

export const PositionSchema = new Schema('pb.Position', () => [
  [1, 'line', 'int32'],
  [2, 'character', 'int32'],
]);

export const ExportCacheSchema = new Schema('pb.ExportCache', () => [
  [1, 'Value', 'bool'],
]);

export const ProgressGroupSchema = new Schema('pb.ProgressGroup', () => [
  [1, 'id', 'string'],
  [2, 'name', 'string'],
  [3, 'weak', 'bool'],
]);

export const ProxyEnvSchema = new Schema('pb.ProxyEnv', () => [
  [1, 'httpProxy', 'string'],
  [2, 'httpsProxy', 'string'],
  [3, 'ftpProxy', 'string'],
  [4, 'noProxy', 'string'],
  [5, 'allProxy', 'string'],
]);

export const WorkerConstraintsSchema = new Schema('pb.WorkerConstraints', () => [
  [1, 'filter', list('string')],
]);

export const DefinitionSchema = new Schema('pb.Definition', () => [
  [1, 'def', list('bytes')],
  [2, 'metadata', map(OpMetadataSchema)],
  [3, 'Source', SourceSchema],
]);

export const FileOpSchema = new Schema('pb.FileOp', () => [
  [2, 'actions', list(FileActionSchema)],
]);

export const FileActionSchema = new Schema('pb.FileAction', () => [
  [1, 'input', 'int64'],
  [2, 'secondaryInput', 'int64'],
  [3, 'output', 'int64'],
  [4, 'copy', FileActionCopySchema, 'action'],
  [5, 'mkfile', FileActionMkFileSchema, 'action'],
  [6, 'mkdir', FileActionMkDirSchema, 'action'],
  [7, 'rm', FileActionRmSchema, 'action'],
  [8, 'symlink', FileActionSymlinkSchema, 'action'],
]);

export const FileActionCopySchema = new Schema('pb.FileActionCopy', () => [
  [1, 'src', 'string'],
  [2, 'dest', 'string'],
  [3, 'owner', ChownOptSchema],
  [4, 'mode', 'int32'],
  [5, 'followSymlink', 'bool'],
  [6, 'dirCopyContents', 'bool'],
  [7, 'attemptUnpackDockerCompatibility', 'bool'],
  [8, 'createDestPath', 'bool'],
  [9, 'allowWildcard', 'bool'],
  [10, 'allowEmptyWildcard', 'bool'],
  [11, 'timestamp', 'int64'],
  [12, 'includePatterns', list('string')],
  [13, 'excludePatterns', list('string')],
  [14, 'alwaysReplaceExistingDestPaths', 'bool'],
  [15, 'modeStr', 'string'],
  [16, 'requiredPaths', list('string')],
]);

export const FileActionMkFileSchema = new Schema('pb.FileActionMkFile', () => [
  [1, 'path', 'string'],
  [2, 'mode', 'int32'],
  [3, 'data', 'bytes'],
  [4, 'owner', ChownOptSchema],
  [5, 'timestamp', 'int64'],
]);

export const FileActionSymlinkSchema = new Schema('pb.FileActionSymlink', () => [
  [1, 'oldpath', 'string'],
  [2, 'newpath', 'string'],
  [3, 'owner', ChownOptSchema],
  [4, 'timestamp', 'int64'],
]);

export const FileActionMkDirSchema = new Schema('pb.FileActionMkDir', () => [
  [1, 'path', 'string'],
  [2, 'mode', 'int32'],
  [3, 'makeParents', 'bool'],
  [4, 'owner', ChownOptSchema],
  [5, 'timestamp', 'int64'],
]);

export const FileActionRmSchema = new Schema('pb.FileActionRm', () => [
  [1, 'path', 'string'],
  [2, 'allowNotFound', 'bool'],
  [3, 'allowWildcard', 'bool'],
]);

export const ChownOptSchema = new Schema('pb.ChownOpt', () => [
  [1, 'user', UserOptSchema],
  [2, 'group', UserOptSchema],
]);

export const UserOptSchema = new Schema('pb.UserOpt', () => [
  [1, 'byName', NamedUserOptSchema, 'user'],
  [2, 'byID', 'uint32', 'user'],
]);

export const NamedUserOptSchema = new Schema('pb.NamedUserOpt', () => [
  [1, 'name', 'string'],
  [2, 'input', 'int64'],
]);

export const MergeInputSchema = new Schema('pb.MergeInput', () => [
  [1, 'input', 'int64'],
]);

export const MergeOpSchema = new Schema('pb.MergeOp', () => [
  [1, 'inputs', list(MergeInputSchema)],
]);

export const LowerDiffInputSchema = new Schema('pb.LowerDiffInput', () => [
  [1, 'input', 'int64'],
]);

export const UpperDiffInputSchema = new Schema('pb.UpperDiffInput', () => [
  [1, 'input', 'int64'],
]);

export const DiffOpSchema = new Schema('pb.DiffOp', () => [
  [1, 'lower', LowerDiffInputSchema],
  [2, 'upper', UpperDiffInputSchema],
]);

export const PassthroughOpSchema = new Schema('pb.PassthroughOp', () => [
  [1, 'id', 'string'],
  [2, 'outputs', list('int64')],
]);
