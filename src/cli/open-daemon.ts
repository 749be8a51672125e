import type { GrpcChannel } from '../api/grpc/channel.ts';
import { SlipwayError } from '../base/errors.ts';
import { connectDaemon } from '../client/connect.ts';
import { ensureDaemon } from './ensure-daemon.ts';
import type { Locations } from './locations.ts';

/** The daemon's services. It is started when nobody listens; to try first saves the connection that would only ask. */
export async function openDaemon(locations: Locations, signal?: AbortSignal): Promise<GrpcChannel> {
  try {
    return await connectDaemon(locations.host, signal);
  } catch (error) {
    if (!(error instanceof SlipwayError) || error.code !== 'unavailable') throw error;
  }
  await ensureDaemon(locations);
  return connectDaemon(locations.host, signal);
}
