import { Control, type SolveRequestSchema, type StatusResponse } from '../api/gen/control_pb.js';
import type { GrpcChannel } from '../api/grpc/channel.ts';
import type { InitOf } from '../api/message/schema.ts';
import { randomId } from '../base/random-id.ts';
import { exportedImage, nameInLayout } from './layout-index.ts';
import { openSession, type SessionServices } from './session.ts';

/** A build: what to solve, and what the daemon may have from here for it. */
export interface BuildRequest {
  /** All but `Ref` and `Session`, which are made here unless `Ref` is given. */
  readonly solve: Omit<InitOf<typeof SolveRequestSchema>, 'Session' | '$typeName' | '$unknown'>;
  readonly services: SessionServices;
  /** Called for every piece of progress, in order, also after the result is known. */
  readonly onProgress?: ((progress: StatusResponse) => void) | undefined;
  /** Cancels the build at the daemon. */
  readonly signal?: AbortSignal | undefined;
}

export interface BuildResult {
  /** The build's id at the daemon. */
  readonly ref: string;
  /** Such as `containerimage.digest`. */
  readonly exporterResponse: Readonly<Record<string, string>>;
}

/** How long progress may still come once the build has ended. Milliseconds. */
const progressGrace = 5000;

/** Runs a build to its end. Throws what the daemon says (a `StatusError`, with details), or the signal's reason. */
export async function solve(channel: GrpcChannel, request: BuildRequest): Promise<BuildResult> {
  const ref = request.solve.Ref ?? randomId().slice(0, 25);
  const control = channel.client(Control);
  const session = openSession(channel, request.services);
  const progressAborter = new AbortController();
  const progress = followProgress(control.status({ Ref: ref }, { signal: progressAborter.signal }), request.onProgress);
  progress.catch(() => {});
  try {
    const solveRequest = { ...request.solve, Ref: ref, Session: session.id };
    const { ExporterResponse } = await control.solve(solveRequest, { signal: request.signal });
    nameExported(request.services, ExporterResponse);
    return { ref, exporterResponse: ExporterResponse };
  } finally {
    await endProgress(progress, progressAborter, request.signal?.aborted === true);
    session.close();
  }
}

function nameExported({ exports }: SessionServices, response: Readonly<Record<string, string>>): void {
  const names = (response['image.name'] ?? '').split(',').flatMap((name) => (name ? [{ name }] : []));
  for (const target of exports ?? []) {
    if (target?.kind !== 'layout') continue;
    nameInLayout(target.path, exportedImage(response), names.length > 0 ? names : [{ tag: 'latest' }]);
  }
}

async function followProgress(
  responses: AsyncIterable<StatusResponse>,
  onProgress: ((progress: StatusResponse) => void) | undefined,
): Promise<void> {
  for await (const response of responses) onProgress?.(response);
}

/** The build's own result counts; a status stream that breaks is no failure of the build. */
async function endProgress(progress: Promise<void>, aborter: AbortController, atOnce: boolean): Promise<void> {
  const timer = setTimeout(() => aborter.abort(), atOnce ? 0 : progressGrace);
  try {
    await progress;
  } catch {
    // Told by the solve call where it matters.
  } finally {
    clearTimeout(timer);
  }
}
