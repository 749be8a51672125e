import { posix } from 'node:path';
import { invalidArgument } from '../base/errors.ts';
import { sourceOp } from '../graph/ops.ts';
import type { Edge } from '../graph/vertex.ts';
import { type GitQuery, readGitQuery } from './git-query.ts';

/** A git repository with what is wanted of it. */
export interface GitUrl extends GitQuery {
  /** As git is called with it. */
  readonly remote: string;
  /** Host and path: the same repository over another protocol has the same. */
  readonly id: string;
  readonly isSsh: boolean;
}

const schemeForm = /^(https?|git|ssh):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#([\s\S]*))?$/i;
const scpForm = /^([a-zA-Z0-9_-]+)@([a-zA-Z0-9.-]+):([^?#]*)(?:\?([^#]*))?(?:#([\s\S]*))?$/;

/**
 * A git repository as docker names one: `git://`, `ssh://`, `user@host:path`, `https://….git`, with `#ref:subdir` or query keys.
 * Undefined when it is none; throws for query keys that say nothing or two things.
 */
export function parseGitUrl(text: string): GitUrl | undefined {
  const url = schemeForm.exec(text);
  const scp = url ? undefined : scpForm.exec(text);
  if (url) {
    const [, scheme = '', authority = '', path = '', query = '', fragment = ''] = url;
    if (/^http/i.test(scheme) && !path.endsWith('.git')) return undefined;
    return {
      remote: `${scheme}://${authority}${path}`,
      id: authority.replace(/^.*@/, '') + posix.join('/', decoded(path)),
      isSsh: scheme.toLowerCase() === 'ssh',
      ...readGitQuery(text, query, decoded(fragment)),
    };
  }
  if (!scp) return undefined;
  const [, user = '', host = '', path = '', query = '', fragment = ''] = scp;
  const remote = `${user}@${host}:${path}`;
  return { remote, id: host + posix.join('/', path), isSsh: true, ...readGitQuery(text, query, fragment) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export interface GitSourceOptions {
  readonly name?: string | undefined;
  readonly keepGitDir?: boolean | undefined;
  readonly checksum?: string | undefined;
  /** Files get the time of the commit. */
  readonly commitTimes?: boolean | undefined;
}

/** The source op that fetches it. */
export function gitSource(git: GitUrl, options: GitSourceOptions): Edge {
  if (options.keepGitDir !== undefined && git.keepGitDir !== undefined && options.keepGitDir !== git.keepGitDir)
    throw invalidArgument('inconsistent keep-git-dir configuration: the flag and the URL differ');
  if (options.checksum !== undefined && git.checksum !== undefined && options.checksum !== git.checksum)
    throw invalidArgument(`checksum mismatch "${options.checksum}" != "${git.checksum}"`);
  const checksum = options.checksum ?? git.checksum;
  const mtime = git.mtime ?? (options.commitTimes ? 'commit' : undefined);
  const fragment = git.ref === '' && git.subdir === '' ? '' : `#${git.ref}${git.subdir === '' ? '' : `:${git.subdir}`}`;
  const attrs = {
    'git.fullurl': git.remote,
    'git.authtokensecret': 'GIT_AUTH_TOKEN',
    'git.authheadersecret': 'GIT_AUTH_HEADER',
    ...((options.keepGitDir ?? git.keepGitDir) ? { 'git.keepgitdir': 'true' } : {}),
    ...(checksum === undefined ? {} : { 'git.checksum': checksum }),
    ...(git.submodules === false ? { 'git.skipsubmodules': 'true' } : {}),
    ...(mtime === undefined ? {} : { 'git.mtime': mtime }),
    ...(git.fetchByCommit ? { 'git.fetchbycommit': 'true' } : {}),
    ...(git.isSsh ? { 'git.mountsshsock': 'default' } : {}),
  };
  return sourceOp(`git://${git.id}${fragment}`, attrs, { name: options.name });
}
