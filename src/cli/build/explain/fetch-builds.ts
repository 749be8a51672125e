import { Content } from '../../../api/gen/content_pb.js';
import { type BuildHistoryRecord, Control } from '../../../api/gen/control_pb.js';
import type { GrpcChannel } from '../../../api/grpc/channel.ts';
import {
  type BlobPointer,
  type BuildSteps,
  type FileListing,
  parseBlobPointer,
  parseBuildSteps,
  parseFileListing,
  stepsKey,
  subjectAnnotation,
} from '../../../api/history/build-steps.ts';
import { timestampDate } from '../../../api/message/well-known.ts';
import { createSha256, digestOfHash } from '../../../base/digest.ts';
import { SlipwayError } from '../../../base/errors.ts';

/** A build and the nearest earlier one of the same target, as the daemon remembers them. */
export interface ComparedBuilds {
  readonly now: BuildSteps;
  readonly before: BuildSteps | undefined;
  /** When that one began. */
  readonly beforeAt: Date | undefined;
  listing(pointer: BlobPointer): Promise<FileListing>;
}

/** Reads build records and what they point to. Throws not-found when the daemon keeps none of this build. */
export async function fetchBuilds(channel: GrpcChannel, ref: string): Promise<ComparedBuilds> {
  const control = channel.client(Control);
  const records: BuildHistoryRecord[] = [];
  for await (const { record } of control.listenBuildHistory({ EarlyExit: true })) if (record) records.push(record);
  const own = records.find((record) => record.Ref === ref);
  const pointer = own && stepsOf(own);
  if (!own || !pointer)
    throw new SlipwayError('not-found', 'cannot explain the build: the daemon keeps no record of it');
  const subject = pointer.annotations?.[subjectAnnotation];
  const [earlier] = records
    .filter((record) => record.Ref !== ref && timeOf(record) <= timeOf(own))
    .filter((record) => stepsOf(record)?.annotations?.[subjectAnnotation] === subject)
    .toSorted((a, b) => timeOf(b) - timeOf(a));
  const earlierPointer = earlier && stepsOf(earlier);
  return {
    now: parseBuildSteps(await readBlob(channel, pointer)),
    before: earlierPointer && parseBuildSteps(await readBlob(channel, earlierPointer)),
    beforeAt: earlier && new Date(timeOf(earlier)),
    listing: async (each) => parseFileListing(await readBlob(channel, each)),
  };
}

function stepsOf({ ExporterResponse }: BuildHistoryRecord): BlobPointer | undefined {
  const text = ExporterResponse[stepsKey];
  return text === undefined ? undefined : parseBlobPointer(text);
}

function timeOf({ CreatedAt }: BuildHistoryRecord): number {
  return CreatedAt ? timestampDate(CreatedAt).getTime() : 0;
}

async function readBlob(channel: GrpcChannel, { digest }: BlobPointer): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const hash = createSha256();
  for await (const { data } of channel.client(Content).read({ digest })) {
    parts.push(data);
    hash.update(data);
  }
  if (digestOfHash(hash) !== digest)
    throw new SlipwayError('data-loss', `cannot read what the daemon keeps of the build: ${digest} has other content`);
  return Buffer.concat(parts);
}
