import { posix } from 'node:path';
import { invalidArgument } from '../../base/errors.ts';
import { sourceOp } from '../../graph/ops.ts';
import type { Edge } from '../../graph/vertex.ts';
import { gitSource, parseGitUrl } from '../git-url.ts';

export interface RemoteOptions {
  /** Shown by progress. */
  readonly name: string;
  readonly checksum: string | undefined;
  readonly keepGitDir: boolean | undefined;
}

/** What ADD takes from the network, and where in it. */
export interface RemoteSource {
  readonly edge: Edge;
  readonly src: string;
  /** A repository's tree; else a lone file. */
  readonly isGit: boolean;
}

export function isRemote(path: string): boolean {
  return /^https?:\/\//.test(path) || (!/^\.\.?\//.test(path) && parseGitUrl(path) !== undefined);
}

export function remoteSource(url: string, { name, checksum, keepGitDir }: RemoteOptions): RemoteSource {
  const git = parseGitUrl(url);
  if (git) return { edge: gitSource(git, { name, keepGitDir, checksum }), src: '/', isGit: true };
  if (checksum !== undefined && !/^sha(?:256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128})$/.test(checksum)) {
    throw invalidArgument(`invalid checksum digest format: ${JSON.stringify(checksum)}`, {
      hint: 'want sha256: and 64 hex digits',
    });
  }
  const filename = fileNameOf(url);
  const attrs = { 'http.filename': filename, ...(checksum === undefined ? {} : { 'http.checksum': checksum }) };
  return { edge: sourceOp(url, attrs, { name }), src: `/${filename}`, isGit: false };
}

/** The last word of the URL's path. */
export function fileNameOf(url: string): string {
  if (!URL.canParse(url)) return '__unnamed__';
  let path = new URL(url).pathname;
  try {
    path = decodeURIComponent(path);
  } catch {
    // A name with a bare % is taken as it is.
  }
  const base = posix.basename(path);
  return base === '' || base === '.' || base === '..' ? '__unnamed__' : base;
}
