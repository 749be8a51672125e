import { statSync } from 'node:fs';
import { sendTree } from '../api/filesync/send-tree.ts';
import { walkTree } from '../api/filesync/walk-tree.ts';
import { FileSync } from '../api/gen/filesync_pb.js';
import type { Router } from '../api/grpc/router.ts';
import { decodeHeaderValues } from '../api/session/header-values.ts';
import { fileSyncHeaders } from '../api/session/receive-directory.ts';
import { notFound, SlipwayError } from '../base/errors.ts';
import { followPaths } from './follow-paths.ts';
import { createPatternFilter } from './pattern-filter.ts';

/** Lets the daemon read these directories, by name, and nothing else. Everything in them belongs to root there. */
export function serveDirectories(router: Router, directories: ReadonlyMap<string, string>): void {
  router.add(FileSync, {
    diffCopy(requests, context) {
      const list = (key: string) => decodeHeaderValues((name) => context.values(name), key);
      const root = directoryOf(directories, list(fileSyncHeaders.directory)[0] ?? '');
      const followed = list(fileSyncHeaders.follow);
      const include = list(fileSyncHeaders.include);
      if (followed.length > 0) {
        const found = followPaths(root, followed);
        // Nothing found means that the root itself is meant.
        if (found.length === 0) include.length = 0;
        else include.push(...found.map(escapePattern));
      }
      const filter = createPatternFilter(include, list(fileSyncHeaders.exclude));
      return sendTree(root, walkTree(root, { filter, owner: { uid: 0, gid: 0 } }), requests);
    },
  });
}

function directoryOf(directories: ReadonlyMap<string, string>, name: string): string {
  const root = directories.get(name);
  if (root === undefined) throw notFound(`cannot send directory "${name}": it is not part of this build`);
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    throw new SlipwayError('failed-precondition', `cannot send directory "${name}": "${root}" is not a directory`);
  }
  return root;
}

/** A path that was found is a name, not a pattern. */
function escapePattern(path: string): string {
  return path.replace(/[\\*?[\]]/g, '\\$&');
}
