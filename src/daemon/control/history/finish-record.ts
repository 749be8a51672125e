import { type BuildHistoryRecord, BuildHistoryRecordSchema } from '../../../api/gen/control_pb.js';
import { StatusSchema } from '../../../api/gen/rpc_status_pb.js';
import { StatusError, statusNumber } from '../../../api/grpc/status.ts';
import { type BlobPointer, stepsKey, stepsMediaType, subjectAnnotation } from '../../../api/history/build-steps.ts';
import { create } from '../../../api/message/create.ts';
import { toBinary } from '../../../api/message/encode.ts';
import { timestampFromDate } from '../../../api/message/well-known.ts';
import { type Digest, digestOf, isDigest } from '../../../base/digest.ts';
import { errorMessage, SlipwayError } from '../../../base/errors.ts';
import { mediaTypes } from '../../../oci/media-types.ts';
import type { StepTrace } from '../../../solver/step-trace.ts';
import type { Engine } from '../../engine.ts';
import type { ProgressEvent } from '../progress-log.ts';
import { describeSteps } from './describe-steps.ts';
import { logMediaType, writeLogBlob } from './log-blob.ts';
import type { RecordedAttestation } from './record-provenance.ts';

/** How a build ended. */
export type Outcome = { readonly response: Readonly<Record<string, string>> } | { readonly error: unknown };

export interface FinishedBuild {
  readonly traces: readonly StepTrace[];
  readonly events: readonly ProgressEvent[];
  /** What tells this client's context from others. */
  readonly sharedKey: string;
  readonly outcome: Outcome;
  readonly completedAt: Date;
  /** By platform, '' for the only one: what went into the results. */
  provenance(): readonly RecordedAttestation[];
  listingOf(contentKey: string): BlobPointer | undefined;
}

/** The record of a build that ended, with the blobs that it keeps. */
export function finishRecord(
  engine: Engine,
  begun: BuildHistoryRecord,
  build: FinishedBuild,
): { readonly record: BuildHistoryRecord; readonly blobs: readonly Digest[] } {
  const { traces, events, outcome, completedAt } = build;
  const steps = describeSteps(traces, ({ vertex }) => engine.vertices.graphVertexOf(vertex), build.listingOf);
  const stepsBlob = engine.content.writeSmall(JSON.stringify(steps));
  const log = engine.content.writeSmall(writeLogBlob(events));
  const pointer: BlobPointer = {
    mediaType: stepsMediaType,
    ...stepsBlob,
    annotations: { [subjectAnnotation]: subjectOf(begun, build.sharedKey) },
  };
  const failure = 'error' in outcome ? keepFailure(engine, outcome.error) : undefined;
  const response = 'response' in outcome ? outcome.response : {};
  const result = resultDescriptor(response);
  const attestations = build.provenance();
  const record = create(BuildHistoryRecordSchema, {
    ...begun,
    CompletedAt: timestampFromDate(completedAt),
    logs: { mediaType: logMediaType, digest: log.digest, size: BigInt(log.size) },
    ExporterResponse: { ...response, [stepsKey]: JSON.stringify(pointer) },
    ...resultInfo(result, attestations),
    ...(failure ? { error: { ...failure.status, details: [] }, externalError: failure.descriptor } : {}),
    ...counts(events),
    Generation: 1,
  });
  const listings = steps.steps.flatMap(({ inputs }) => inputs.flatMap(({ files }) => files?.digest ?? []));
  return {
    record,
    blobs: [
      ...new Set([
        stepsBlob.digest,
        log.digest,
        ...(failure ? [failure.digest] : []),
        ...attestations.map(({ blob }) => blob.digest),
        ...listings,
      ]),
    ],
  };
}

function resultInfo(result: ReturnType<typeof resultDescriptor>, attestations: readonly RecordedAttestation[]) {
  const describe = ({ blob, predicateType }: RecordedAttestation) => ({
    mediaType: mediaTypes.inToto,
    digest: blob.digest,
    size: BigInt(blob.size),
    annotations: { 'in-toto.io/predicate-type': predicateType },
  });
  const lone = attestations.filter(({ platformId }) => platformId === '').map(describe);
  const perPlatform = attestations
    .filter(({ platformId }) => platformId !== '')
    .map((each) => [each.platformId, { Attestations: [describe(each)] }]);
  return {
    ...(result || lone.length > 0
      ? { Result: { ...(result ? { ResultDeprecated: result, Results: { 0: result } } : {}), Attestations: lone } }
      : {}),
    ...(perPlatform.length > 0 ? { Results: Object.fromEntries(perPlatform) } : {}),
  };
}

/** Equal for builds that are to be compared with each other. */
function subjectOf({ Frontend, FrontendAttrs }: BuildHistoryRecord, sharedKey: string): string {
  const { context = '', filename = '', target = '', platform = '' } = FrontendAttrs;
  const frontend = Frontend === '' ? 'client' : Frontend;
  return digestOf(JSON.stringify([frontend, sharedKey, context, filename, target, platform]));
}

function counts(events: readonly ProgressEvent[]) {
  const last = new Map(events.flatMap((each) => (each.kind === 'vertex' ? [[each.event.digest, each.event]] : [])));
  const vertices = [...last.values()];
  return {
    numTotalSteps: vertices.length,
    numCachedSteps: vertices.filter(({ cached }) => cached).length,
    numCompletedSteps: vertices.filter(({ completed, error }) => completed && error === undefined).length,
    numWarnings: events.filter(({ kind }) => kind === 'warning').length,
  };
}

/** The spelling is BuildKit's. */
const errorMediaType = 'application/vnd.googeapis.google.rpc.status+proto';

/** The record itself has the message only; what points into the user's file lies beside it. */
function keepFailure(engine: Engine, error: unknown) {
  const status = statusOf(error);
  const { digest, size } = engine.content.writeSmall(toBinary(StatusSchema, create(StatusSchema, status)));
  return { status, digest, descriptor: { mediaType: errorMediaType, digest, size: BigInt(size) } };
}

function statusOf(error: unknown) {
  return {
    code: statusNumber(error instanceof SlipwayError ? error.code : 'internal'),
    message: errorMessage(error),
    details: error instanceof StatusError ? [...error.details] : [],
  };
}

function resultDescriptor(response: Readonly<Record<string, string>>) {
  const { 'containerimage.descriptor': encoded, 'containerimage.digest': plainDigest } = response;
  if (encoded === undefined || plainDigest === undefined || !isDigest(plainDigest)) return undefined;
  const { mediaType, digest, size } = JSON.parse(Buffer.from(encoded, 'base64').toString());
  return { mediaType: `${mediaType}`, digest: `${digest}`, size: BigInt(size) };
}
