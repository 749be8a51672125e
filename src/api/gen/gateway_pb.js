// Generated from src/api/proto/gateway.proto by `npm run generate`.

import { Schema, list, map } from '../message/schema.ts';
import { service } from '../message/service.ts';
import { TimestampSchema } from '../message/well-known.ts';
import { APICapSchema } from './caps_pb.js';
import { StatSchema } from './fsutil_pb.js';
import { DefinitionSchema, HostIPSchema, MetaSchema, MountSchema, PlatformSchema, RangeSchema, SecretEnvSchema, SourceInfoSchema, SourceOpSchema, WorkerConstraintsSchema } from './ops_pb.js';
import { PolicySchema } from './policy_pb.js';
import { StatusSchema } from './rpc_status_pb.js';
import { WorkerRecordSchema } from './worker_pb.js';

export const AttestationKind = { InToto: 0, 0: 'InToto', Bundle: 1, 1: 'Bundle' };

export const InTotoSubjectKind = { Self: 0, 0: 'Self', Raw: 1, 1: 'Raw' };

export const ResultSchema = new Schema('moby.buildkit.v1.frontend.Result', () => [
  [1, 'refDeprecated', 'string', 'result'],
  [2, 'refsDeprecated', RefMapDeprecatedSchema, 'result'],
  [3, 'ref', RefSchema, 'result'],
  [4, 'refs', RefMapSchema, 'result'],
  [10, 'metadata', map('bytes')],
  [12, 'attestations', map(AttestationsSchema)],
]);

export const RefMapDeprecatedSchema = new Schema('moby.buildkit.v1.frontend.RefMapDeprecated', () => [
  [1, 'refs', map('string')],
]);

export const RefSchema = new Schema('moby.buildkit.v1.frontend.Ref', () => [
  [1, 'id', 'string'],
  [2, 'def', DefinitionSchema],
]);

export const RefMapSchema = new Schema('moby.buildkit.v1.frontend.RefMap', () => [
  [1, 'refs', map(RefSchema)],
]);

export const AttestationsSchema = new Schema('moby.buildkit.v1.frontend.Attestations', () => [
  [1, 'attestation', list(AttestationSchema)],
]);

export const AttestationSchema = new Schema('moby.buildkit.v1.frontend.Attestation', () => [
  [1, 'kind', 'enum'],
  [2, 'metadata', map('bytes')],
  [3, 'ref', RefSchema],
  [4, 'path', 'string'],
  [5, 'inTotoPredicateType', 'string'],
  [6, 'inTotoSubjects', list(InTotoSubjectSchema)],
]);

export const InTotoSubjectSchema = new Schema('moby.buildkit.v1.frontend.InTotoSubject', () => [
  [1, 'kind', 'enum'],
  [2, 'digest', list('string')],
  [3, 'name', 'string'],
]);

export const ReturnRequestSchema = new Schema('moby.buildkit.v1.frontend.ReturnRequest', () => [
  [1, 'result', ResultSchema],
  [2, 'error', StatusSchema],
]);

export const ReturnResponseSchema = new Schema('moby.buildkit.v1.frontend.ReturnResponse', () => []);

export const InputsRequestSchema = new Schema('moby.buildkit.v1.frontend.InputsRequest', () => []);

export const InputsResponseSchema = new Schema('moby.buildkit.v1.frontend.InputsResponse', () => [
  [1, 'Definitions', map(DefinitionSchema)],
]);

export const ResolveImageConfigRequestSchema = new Schema('moby.buildkit.v1.frontend.ResolveImageConfigRequest', () => [
  [1, 'Ref', 'string'],
  [2, 'Platform', PlatformSchema],
  [3, 'ResolveMode', 'string'],
  [4, 'LogName', 'string'],
  [5, 'ResolverType', 'int32'],
  [6, 'SessionID', 'string'],
  [7, 'StoreID', 'string'],
  [8, 'SourcePolicies', list(PolicySchema)],
]);

export const ResolveImageConfigResponseSchema = new Schema('moby.buildkit.v1.frontend.ResolveImageConfigResponse', () => [
  [1, 'Digest', 'string'],
  [2, 'Config', 'bytes'],
  [3, 'Ref', 'string'],
]);

export const ResolveSourceMetaRequestSchema = new Schema('moby.buildkit.v1.frontend.ResolveSourceMetaRequest', () => [
  [1, 'Source', SourceOpSchema],
  [2, 'Platform', PlatformSchema],
  [3, 'LogName', 'string'],
  [4, 'ResolveMode', 'string'],
  [5, 'Git', ResolveSourceGitRequestSchema],
  [6, 'Image', ResolveSourceImageRequestSchema],
  [7, 'HTTP', ResolveSourceHTTPRequestSchema],
  [8, 'SourcePolicies', list(PolicySchema)],
]);

export const ResolveSourceMetaResponseSchema = new Schema('moby.buildkit.v1.frontend.ResolveSourceMetaResponse', () => [
  [1, 'Source', SourceOpSchema],
  [2, 'Image', ResolveSourceImageResponseSchema],
  [3, 'Git', ResolveSourceGitResponseSchema],
  [4, 'HTTP', ResolveSourceHTTPResponseSchema],
]);

export const ResolveSourceImageRequestSchema = new Schema('moby.buildkit.v1.frontend.ResolveSourceImageRequest', () => [
  [1, 'NoConfig', 'bool'],
  [2, 'AttestationChain', 'bool'],
  [3, 'ResolveAttestations', list('string')],
]);

export const AttestationChainSchema = new Schema('moby.buildkit.v1.frontend.AttestationChain', () => [
  [1, 'Root', 'string'],
  [2, 'ImageManifest', 'string'],
  [3, 'AttestationManifest', 'string'],
  [4, 'SignatureManifests', list('string')],
  [5, 'Blobs', map(BlobSchema)],
]);

export const ResolveSourceImageResponseSchema = new Schema('moby.buildkit.v1.frontend.ResolveSourceImageResponse', () => [
  [1, 'Digest', 'string'],
  [2, 'Config', 'bytes'],
  [3, 'AttestationChain', AttestationChainSchema],
]);

export const ResolveSourceGitRequestSchema = new Schema('moby.buildkit.v1.frontend.ResolveSourceGitRequest', () => [
  [1, 'ReturnObject', 'bool'],
]);

export const ResolveSourceGitResponseSchema = new Schema('moby.buildkit.v1.frontend.ResolveSourceGitResponse', () => [
  [1, 'Checksum', 'string'],
  [2, 'Ref', 'string'],
  [3, 'CommitChecksum', 'string'],
  [4, 'CommitObject', 'bytes'],
  [5, 'TagObject', 'bytes'],
]);

export const ResolveSourceHTTPRequestSchema = new Schema('moby.buildkit.v1.frontend.ResolveSourceHTTPRequest', () => [
  [1, 'ChecksumRequest', ChecksumRequestSchema],
]);

export const ResolveSourceHTTPResponseSchema = new Schema('moby.buildkit.v1.frontend.ResolveSourceHTTPResponse', () => [
  [1, 'Checksum', 'string'],
  [2, 'Filename', 'string'],
  [3, 'LastModified', TimestampSchema],
  [4, 'ChecksumResponse', ChecksumResponseSchema],
]);

export const ChecksumRequest_ChecksumAlgo = { SHA256: 0, 0: 'SHA256', SHA384: 1, 1: 'SHA384', SHA512: 2, 2: 'SHA512' };

export const ChecksumRequestSchema = new Schema('moby.buildkit.v1.frontend.ChecksumRequest', () => [
  [1, 'Algo', 'enum'],
  [2, 'Suffix', 'bytes'],
]);

export const ChecksumResponseSchema = new Schema('moby.buildkit.v1.frontend.ChecksumResponse', () => [
  [1, 'Digest', 'string'],
  [2, 'Suffix', 'bytes'],
]);

export const SolveRequestSchema = new Schema('moby.buildkit.v1.frontend.SolveRequest', () => [
  [1, 'Definition', DefinitionSchema],
  [2, 'Frontend', 'string'],
  [3, 'FrontendOpt', map('string')],
  [5, 'allowResultReturn', 'bool'],
  [6, 'allowResultArrayRef', 'bool'],
  [10, 'Final', 'bool'],
  [11, 'ExporterAttr', 'bytes'],
  [12, 'CacheImports', list(CacheOptionsEntrySchema)],
  [13, 'FrontendInputs', map(DefinitionSchema)],
  [14, 'Evaluate', 'bool'],
  [15, 'SourcePolicies', list(PolicySchema)],
]);

export const CacheOptionsEntrySchema = new Schema('moby.buildkit.v1.frontend.CacheOptionsEntry', () => [
  [1, 'Type', 'string'],
  [2, 'Attrs', map('string')],
]);

export const SolveResponseSchema = new Schema('moby.buildkit.v1.frontend.SolveResponse', () => [
  [1, 'ref', 'string'],
  [3, 'result', ResultSchema],
]);

export const ReadFileRequestSchema = new Schema('moby.buildkit.v1.frontend.ReadFileRequest', () => [
  [1, 'Ref', 'string'],
  [2, 'FilePath', 'string'],
  [3, 'Range', FileRangeSchema],
  [4, 'MountIndex', 'int32'],
]);

export const FileRangeSchema = new Schema('moby.buildkit.v1.frontend.FileRange', () => [
  [1, 'Offset', 'int64'],
  [2, 'Length', 'int64'],
]);

export const ReadFileResponseSchema = new Schema('moby.buildkit.v1.frontend.ReadFileResponse', () => [
  [1, 'Data', 'bytes'],
]);

export const ReadDirRequestSchema = new Schema('moby.buildkit.v1.frontend.ReadDirRequest', () => [
  [1, 'Ref', 'string'],
  [2, 'DirPath', 'string'],
  [3, 'IncludePattern', 'string'],
  [4, 'MountIndex', 'int32'],
]);

export const ReadDirResponseSchema = new Schema('moby.buildkit.v1.frontend.ReadDirResponse', () => [
  [1, 'entries', list(StatSchema)],
]);

export const StatFileRequestSchema = new Schema('moby.buildkit.v1.frontend.StatFileRequest', () => [
  [1, 'Ref', 'string'],
  [2, 'Path', 'string'],
  [3, 'MountIndex', 'int32'],
]);

export const StatFileResponseSchema = new Schema('moby.buildkit.v1.frontend.StatFileResponse', () => [
  [1, 'stat', StatSchema],
]);

export const EvaluateRequestSchema = new Schema('moby.buildkit.v1.frontend.EvaluateRequest', () => [
  [1, 'Ref', 'string'],
]);

export const EvaluateResponseSchema = new Schema('moby.buildkit.v1.frontend.EvaluateResponse', () => []);

export const PingRequestSchema = new Schema('moby.buildkit.v1.frontend.PingRequest', () => []);

export const PongResponseSchema = new Schema('moby.buildkit.v1.frontend.PongResponse', () => [
  [1, 'FrontendAPICaps', list(APICapSchema)],
  [2, 'LLBCaps', list(APICapSchema)],
  [3, 'Workers', list(WorkerRecordSchema)],
]);

export const WarnRequestSchema = new Schema('moby.buildkit.v1.frontend.WarnRequest', () => [
  [1, 'digest', 'string'],
  [2, 'level', 'int64'],
  [3, 'short', 'bytes'],
  [4, 'detail', list('bytes')],
  [5, 'url', 'string'],
  [6, 'info', SourceInfoSchema],
  [7, 'ranges', list(RangeSchema)],
]);

export const WarnResponseSchema = new Schema('moby.buildkit.v1.frontend.WarnResponse', () => []);

export const NewContainerRequestSchema = new Schema('moby.buildkit.v1.frontend.NewContainerRequest', () => [
  [1, 'ContainerID', 'string'],
  [2, 'Mounts', list(MountSchema)],
  [3, 'Network', 'enum'],
  [4, 'platform', PlatformSchema],
  [5, 'constraints', WorkerConstraintsSchema],
  [6, 'extraHosts', list(HostIPSchema)],
  [7, 'hostname', 'string'],
]);

export const NewContainerResponseSchema = new Schema('moby.buildkit.v1.frontend.NewContainerResponse', () => []);

export const ReleaseContainerRequestSchema = new Schema('moby.buildkit.v1.frontend.ReleaseContainerRequest', () => [
  [1, 'ContainerID', 'string'],
]);

export const ReleaseContainerResponseSchema = new Schema('moby.buildkit.v1.frontend.ReleaseContainerResponse', () => []);

export const ExecMessageSchema = new Schema('moby.buildkit.v1.frontend.ExecMessage', () => [
  [1, 'ProcessID', 'string'],
  [2, 'Init', InitMessageSchema, 'Input'],
  [3, 'File', FdMessageSchema, 'Input'],
  [4, 'Resize', ResizeMessageSchema, 'Input'],
  [5, 'Started', StartedMessageSchema, 'Input'],
  [6, 'Exit', ExitMessageSchema, 'Input'],
  [7, 'Done', DoneMessageSchema, 'Input'],
  [8, 'Signal', SignalMessageSchema, 'Input'],
]);

export const InitMessageSchema = new Schema('moby.buildkit.v1.frontend.InitMessage', () => [
  [1, 'ContainerID', 'string'],
  [2, 'Meta', MetaSchema],
  [3, 'Fds', list('uint32')],
  [4, 'Tty', 'bool'],
  [5, 'Security', 'enum'],
  [6, 'secretenv', list(SecretEnvSchema)],
]);

export const ExitMessageSchema = new Schema('moby.buildkit.v1.frontend.ExitMessage', () => [
  [1, 'Code', 'uint32'],
  [2, 'Error', StatusSchema],
]);

export const StartedMessageSchema = new Schema('moby.buildkit.v1.frontend.StartedMessage', () => []);

export const DoneMessageSchema = new Schema('moby.buildkit.v1.frontend.DoneMessage', () => []);

export const FdMessageSchema = new Schema('moby.buildkit.v1.frontend.FdMessage', () => [
  [1, 'Fd', 'uint32'],
  [2, 'EOF', 'bool'],
  [3, 'Data', 'bytes'],
]);

export const ResizeMessageSchema = new Schema('moby.buildkit.v1.frontend.ResizeMessage', () => [
  [1, 'Rows', 'uint32'],
  [2, 'Cols', 'uint32'],
]);

export const SignalMessageSchema = new Schema('moby.buildkit.v1.frontend.SignalMessage', () => [
  [1, 'Name', 'string'],
]);

export const BlobSchema = new Schema('moby.buildkit.v1.frontend.Blob', () => [
  [1, 'descriptor', DescriptorSchema],
  [2, 'data', 'bytes'],
]);

export const DescriptorSchema = new Schema('moby.buildkit.v1.frontend.Descriptor', () => [
  [1, 'mediaType', 'string'],
  [2, 'digest', 'string'],
  [3, 'size', 'int64'],
  [5, 'annotations', map('string')],
]);

export const LLBBridge = service('moby.buildkit.v1.frontend.LLBBridge', [
  ['resolveImageConfig', { name: 'ResolveImageConfig', methodKind: 'unary', input: ResolveImageConfigRequestSchema, output: ResolveImageConfigResponseSchema }],
  ['resolveSourceMeta', { name: 'ResolveSourceMeta', methodKind: 'unary', input: ResolveSourceMetaRequestSchema, output: ResolveSourceMetaResponseSchema }],
  ['solve', { name: 'Solve', methodKind: 'unary', input: SolveRequestSchema, output: SolveResponseSchema }],
  ['readFile', { name: 'ReadFile', methodKind: 'unary', input: ReadFileRequestSchema, output: ReadFileResponseSchema }],
  ['readDir', { name: 'ReadDir', methodKind: 'unary', input: ReadDirRequestSchema, output: ReadDirResponseSchema }],
  ['statFile', { name: 'StatFile', methodKind: 'unary', input: StatFileRequestSchema, output: StatFileResponseSchema }],
  ['evaluate', { name: 'Evaluate', methodKind: 'unary', input: EvaluateRequestSchema, output: EvaluateResponseSchema }],
  ['ping', { name: 'Ping', methodKind: 'unary', input: PingRequestSchema, output: PongResponseSchema }],
  ['return', { name: 'Return', methodKind: 'unary', input: ReturnRequestSchema, output: ReturnResponseSchema }],
  ['inputs', { name: 'Inputs', methodKind: 'unary', input: InputsRequestSchema, output: InputsResponseSchema }],
  ['newContainer', { name: 'NewContainer', methodKind: 'unary', input: NewContainerRequestSchema, output: NewContainerResponseSchema }],
  ['releaseContainer', { name: 'ReleaseContainer', methodKind: 'unary', input: ReleaseContainerRequestSchema, output: ReleaseContainerResponseSchema }],
  ['execProcess', { name: 'ExecProcess', methodKind: 'bidi_streaming', input: ExecMessageSchema, output: ExecMessageSchema }],
  ['readFileContainer', { name: 'ReadFileContainer', methodKind: 'unary', input: ReadFileRequestSchema, output: ReadFileResponseSchema }],
  ['readDirContainer', { name: 'ReadDirContainer', methodKind: 'unary', input: ReadDirRequestSchema, output: ReadDirResponseSchema }],
  ['statFileContainer', { name: 'StatFileContainer', methodKind: 'unary', input: StatFileRequestSchema, output: StatFileResponseSchema }],
  ['warn', { name: 'Warn', methodKind: 'unary', input: WarnRequestSchema, output: WarnResponseSchema }],
]);
