import { isErrorCode } from '../../base/errors.ts';
import { type ReceivedTree, TreeReceiver } from '../filesync/receive-tree.ts';
import { FileSync } from '../gen/filesync_pb.js';
import { encodeHeaderValues } from './header-values.ts';
import type { Session } from './session.ts';

/** Names of the metadata of `FileSync.DiffCopy` (moby/buildkit, session/filesync). */
export const fileSyncHeaders = {
  directory: 'dir-name',
  include: 'include-patterns',
  exclude: 'exclude-patterns',
  follow: 'followpaths',
} as const;

export interface DirectoryOptions {
  /** Patterns as in `.dockerignore`; nothing to include means all. */
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  /** Paths that are included together with every symlink on the way to them. */
  readonly followPaths?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((total: number) => void) | undefined;
}

/**
 * Makes `destination` equal to what the options select of the client's directory `name`. What an earlier call left there is compared
 * by size, time and mode, and kept where equal; one caller at a time. Throws not-found when the client does not offer the name.
 */
export async function receiveDirectory(
  session: Session,
  name: string,
  destination: string,
  options: DirectoryOptions = {},
): Promise<ReceivedTree> {
  const metadata = encodeHeaderValues({
    [fileSyncHeaders.directory]: [name],
    [fileSyncHeaders.include]: options.include ?? [],
    [fileSyncHeaders.exclude]: options.exclude ?? [],
    [fileSyncHeaders.follow]: options.followPaths ?? [],
  });
  const client = session.client(FileSync, FileSync.method.diffCopy);
  const receiver = new TreeReceiver(destination, { owner: 'sent', deleteOthers: true, onBytes: options.onBytes });
  try {
    return await receiver.receive(client.diffCopy(receiver.outgoing, { metadata, signal: options.signal }));
  } catch (error) {
    // The sender's own words say what is wrong with the directory; ours only that it ended.
    if (isErrorCode(error, 'canceled')) options.signal?.throwIfAborted();
    throw error;
  }
}
