import { posix } from 'node:path';
import { invalidArgument } from '../base/errors.ts';

/** What the query and the fragment of a git URL ask for (reference dockerfile.md §3.2). */
export interface GitQuery {
  readonly ref: string;
  readonly subdir: string;
  readonly checksum?: string | undefined;
  readonly keepGitDir?: boolean | undefined;
  readonly submodules?: boolean | undefined;
  readonly mtime?: string | undefined;
  readonly fetchByCommit?: boolean | undefined;
}

const keys = new Set([
  'ref',
  'tag',
  'branch',
  'subdir',
  'checksum',
  'commit',
  'keep-git-dir',
  'submodules',
  'mtime',
  'fetch-by-commit',
]);
const flags = new Set(['keep-git-dir', 'submodules', 'fetch-by-commit']);

/** Throws for keys that are unknown, empty, given twice or against each other. */
export function readGitQuery(url: string, query: string, fragment: string): GitQuery {
  const values = new URLSearchParams(query);
  const fail = (why: string) => invalidArgument(`cannot use the git URL ${JSON.stringify(withoutLogin(url))}: ${why}`);
  for (const key of values.keys()) {
    if (!keys.has(key)) throw fail(`unexpected query "${key}"`);
    if (values.getAll(key).length > 1) throw fail(`query "${key}" has multiple values`);
    if (values.get(key) === '' && !flags.has(key)) throw fail(`query "${key}" has no value`);
  }
  const flag = (name: string): boolean | undefined => {
    const value = values.get(name);
    if (value === null) return undefined;
    if (/^(|1|t|true)$/i.test(value)) return true;
    if (/^(0|f|false)$/i.test(value)) return false;
    throw fail(`invalid ${name} value: "${value}"`);
  };
  const [, inFragment = '', directory] = /^([^:]*)(?::([\s\S]*))?$/.exec(fragment) ?? [];
  const subdir = directory === undefined ? '' : posix.join('/', directory).slice(1);
  const mtime = values.get('mtime') ?? undefined;
  if (mtime !== undefined && mtime !== 'checkout' && mtime !== 'commit')
    throw fail(`invalid mtime value: "${mtime}" (must be "checkout" or "commit")`);
  const tag = values.get('tag');
  const branch = values.get('branch');
  if (tag !== null && branch !== null) throw fail('branch conflicts with tag');
  const refs = [inFragment, values.get('ref'), prefixed(tag, 'refs/tags/'), prefixed(branch, 'refs/heads/')];
  return {
    ref: oneOf(refs, (a, b) => fail(`ref conflicts: "${a}" vs "${b}"`)),
    subdir: oneOf([subdir, values.get('subdir')], (a, b) => fail(`subdir conflicts: "${a}" vs "${b}"`)),
    checksum: values.get('checksum') ?? values.get('commit') ?? undefined,
    keepGitDir: flag('keep-git-dir'),
    submodules: flag('submodules'),
    mtime,
    fetchByCommit: flag('fetch-by-commit'),
  };
}

function prefixed(name: string | null, prefix: string): string | null {
  return name === null || name.startsWith(prefix) ? name : prefix + name;
}

function oneOf(values: readonly (string | null)[], conflict: (a: string, b: string) => Error): string {
  const [first = '', ...others] = values.filter((value) => value !== null && value !== '') as string[];
  for (const other of others) if (other !== first) throw conflict(first, other);
  return first;
}

function withoutLogin(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/@]*@/i, '$1');
}
