import { sourceOp } from '../graph/ops.ts';
import type { Edge } from '../graph/vertex.ts';

export interface GitUrl {
  readonly remote: string;
  readonly ref: string;
  readonly subdir: string;
  readonly keepGitDir?: boolean | undefined;
  readonly checksum?: string | undefined;
  readonly skipSubmodules?: boolean | undefined;
}

const scpForm = /^[a-zA-Z0-9_-]+@[a-zA-Z0-9.-]+:[^#]+/;

/** A git repository as docker names one: `git://`, `ssh://`, `user@host:path`, `https://….git`, with `#ref:subdir` or query keys. */
export function parseGitUrl(text: string): GitUrl | undefined {
  const hash = text.indexOf('#');
  const bare = hash < 0 ? text : text.slice(0, hash);
  const fragment = hash < 0 ? '' : text.slice(hash + 1);
  const question = bare.indexOf('?');
  const remote = question < 0 ? bare : bare.slice(0, question);
  const isGit =
    /^(git|ssh):\/\//.test(remote) || scpForm.test(remote) || (/^https?:\/\//.test(remote) && /\.git$/.test(remote));
  if (!isGit) return undefined;
  const query = new URLSearchParams(question < 0 ? '' : bare.slice(question + 1));
  const [ref = '', subdir = ''] = fragment.split(':', 2);
  const flag = (name: string) => (query.has(name) ? query.get(name) !== 'false' && query.get(name) !== '0' : undefined);
  const submodules = flag('submodules');
  return {
    remote,
    ref: query.get('ref') ?? query.get('tag') ?? query.get('branch') ?? ref,
    subdir: query.get('subdir') ?? subdir,
    checksum: query.get('checksum') ?? query.get('commit') ?? undefined,
    keepGitDir: flag('keep-git-dir'),
    skipSubmodules: submodules === undefined ? undefined : !submodules,
  };
}

/** The source op that fetches it. */
export function gitSource(
  git: GitUrl,
  options: {
    readonly name?: string | undefined;
    readonly keepGitDir?: boolean | undefined;
    readonly checksum?: string | undefined;
  },
): Edge {
  const keep = options.keepGitDir ?? git.keepGitDir;
  const checksum = options.checksum ?? git.checksum;
  const fragment = git.ref === '' && git.subdir === '' ? '' : `#${git.ref}${git.subdir === '' ? '' : `:${git.subdir}`}`;
  const bare = git.remote
    .replace(/^https?:\/\//, '')
    .replace(/^(git|ssh):\/\//, '')
    .replace(/^([^@/]+@[^:/]+):/, '$1/');
  return sourceOp(
    `git://${bare}${fragment}`,
    {
      'git.fullurl': git.remote,
      'git.authtokensecret': 'GIT_AUTH_TOKEN',
      'git.authheadersecret': 'GIT_AUTH_HEADER',
      ...(keep ? { 'git.keepgitdir': 'true' } : {}),
      ...(checksum === undefined ? {} : { 'git.checksum': checksum }),
      ...(git.skipSubmodules ? { 'git.skipsubmodules': 'true' } : {}),
      ...(/^(ssh:|[^/]+@)/.test(git.remote) ? { 'git.mountsshsock': 'default' } : {}),
    },
    { name: options.name },
  );
}
