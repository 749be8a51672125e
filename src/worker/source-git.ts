import { spawn } from 'node:child_process';
import { lstatSync, lutimesSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceOp } from '../api/gen/ops_pb.js';
import { digestOf } from '../base/digest.ts';
import { invalidArgument, SlipwayError } from '../base/errors.ts';
import { KeyedLock } from '../base/keyed-lock.ts';
import { resolveTreePath, toText } from '../snapshot/tree-path.ts';
import type { Op, OpContext } from '../solver/op.ts';
import { withoutLogin } from './fetch-url.ts';
import { holdRef, type Ref } from './ref.ts';
import { gitLogin } from './source-login.ts';
import { forwardSshAgent } from './ssh-agent.ts';
import type { WorkerServices } from './worker-services.ts';

const repositories = new KeyedLock();
const commitForm = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/** Commits with 64 digits are of a repository that hashes by SHA-256. */
function formatOf(commit: string): 'sha1' | 'sha256' {
  return commit.length === 64 ? 'sha256' : 'sha1';
}

/** A git repository at a commit, which is its key; fetched into a bare repository that later builds bring up to date. */
export function createGitSource(source: SourceOp, services: WorkerServices): Op<Ref> {
  const { remote, ref, subdir } = locate(source);
  let resolving: Promise<string> | undefined;
  const commitOf = (context: OpContext): Promise<string> => {
    resolving ??= new GitFetch(source, remote, services, context).commit(ref).catch((error: unknown) => {
      resolving = undefined;
      throw error;
    });
    return resolving;
  };
  const keepGitDir = source.attrs['git.keepgitdir'] === 'true';
  const commitTimes = source.attrs['git.mtime'] === 'commit';
  const variants = [
    ...(commitTimes ? ['commit times'] : []),
    ...(source.attrs['git.skipsubmodules'] === 'true' ? ['no submodules'] : []),
  ];
  return {
    cacheMap: async (context) => {
      const commit = await commitOf(context);
      const digest = digestOf(JSON.stringify(['git', remote, commit, subdir, keepGitDir, ...variants]));
      return { digest, inputs: [], facts: { commit } };
    },
    run: async (_inputs, context) => {
      const commit = await commitOf(context);
      const { snapshots, views } = services;
      const active = snapshots.prepare([]);
      try {
        {
          using view = views.openActive(active);
          const fetch = new GitFetch(source, remote, services, context);
          await fetch.checkout(commit, subdir, keepGitDir, view.path);
          if (commitTimes) setTimes(view.path, await fetch.commitTime(commit));
        }
        return [holdRef(snapshots, { kind: 'layers', stack: [snapshots.commit(active)] })];
      } catch (error) {
        snapshots.discard(active);
        throw error;
      }
    },
  };
}

function locate(source: SourceOp): { readonly remote: string; readonly ref: string; readonly subdir: string } {
  const hash = source.identifier.indexOf('#');
  const bare = hash < 0 ? source.identifier : source.identifier.slice(0, hash);
  const [ref = '', subdir = ''] = hash < 0 ? [] : source.identifier.slice(hash + 1).split(':', 2);
  const remote = source.attrs['git.fullurl'] || bare.replace(/^git:\/\//, 'https://');
  // A word that git would take for an option is no ref and no address.
  if (remote.startsWith('-') || ref.startsWith('-'))
    throw invalidArgument(`cannot use git source ${JSON.stringify(withoutLogin(remote))}`);
  return { remote, ref, subdir };
}

class GitFetch {
  readonly #source: SourceOp;
  readonly #remote: string;
  readonly #services: WorkerServices;
  readonly #context: OpContext;
  readonly #repository: string;

  constructor(source: SourceOp, remote: string, services: WorkerServices, context: OpContext) {
    this.#source = source;
    this.#remote = remote;
    this.#services = services;
    this.#context = context;
    this.#repository = join(services.contextsDirectory, `git-${digestOf(remote).slice(7, 39)}`);
  }

  /** The commit behind a branch, tag or abbreviated commit. */
  async commit(ref: string): Promise<string> {
    const checksum = this.#source.attrs['git.checksum'] ?? '';
    if (commitForm.test(ref)) return this.#checked(ref, checksum, ref);
    // The user vouches for what the ref stands for.
    if (this.#source.attrs['git.fetchbycommit'] === 'true' && commitForm.test(checksum)) return checksum;
    const listing = await this.#withLogin((environment) =>
      this.#git(['ls-remote', '--symref', this.#remote], environment),
    );
    const found = findRef(listing, ref);
    if (found === undefined && /^[0-9a-f]{7,64}$/.test(checksum)) return this.#checked(checksum, checksum, ref);
    if (found === undefined) {
      throw new SlipwayError(
        'not-found',
        `cannot find ${JSON.stringify(ref || 'HEAD')} in ${JSON.stringify(withoutLogin(this.#remote))}: repository does not contain ref ${ref || 'HEAD'}`,
      );
    }
    return this.#checked(found, checksum, ref);
  }

  async checkout(commit: string, subdir: string, keepGitDir: boolean, target: string): Promise<void> {
    const lock = await repositories.acquire(this.#repository, this.#context.signal);
    const work = this.#temporary();
    try {
      await this.#fetch(commit);
      const worktree = subdir === '' && !keepGitDir ? target : join(work, 'tree');
      mkdirSync(worktree, { recursive: true });
      if (keepGitDir) await this.#clone(commit, worktree);
      else {
        await this.#git(['--git-dir', this.#repository, '--work-tree', worktree, 'checkout', '-f', commit, '--', '.']);
        if (this.#source.attrs['git.skipsubmodules'] !== 'true') await this.#submodules(commit, worktree);
      }
      if (worktree !== target) await this.#copy(worktree, subdir, target);
    } finally {
      rmSync(work, { recursive: true, force: true });
      lock.release();
    }
  }

  /** Seconds since 1970. */
  async commitTime(commit: string): Promise<number> {
    return Number(await this.#git(['--git-dir', this.#repository, 'show', '-s', '--format=%ct', commit]));
  }

  #checked(commit: string, checksum: string, ref: string): string {
    if (checksum === '' || commit.startsWith(checksum)) return commit;
    throw new SlipwayError(
      'failed-precondition',
      `cannot use ${JSON.stringify(ref)} of ${JSON.stringify(withoutLogin(this.#remote))}: expected checksum to match ${checksum}, got ${commit}`,
    );
  }

  async #fetch(commit: string): Promise<void> {
    await this.#git(['init', '-q', '--bare', `--object-format=${formatOf(commit)}`, this.#repository]);
    try {
      await this.#git(['--git-dir', this.#repository, 'cat-file', '-e', `${commit}^{commit}`]);
    } catch {
      const into = ['--git-dir', this.#repository, 'fetch', '-q', '--force', '--depth=1', this.#remote];
      await this.#withLogin(async (environment) => {
        // Not every server gives a commit by its number; then everything is fetched.
        await this.#git([...into, commit], environment).catch(() =>
          this.#git(
            ['--git-dir', this.#repository, 'fetch', '-q', '--force', '--tags', this.#remote, '+refs/*:refs/slipway/*'],
            environment,
          ),
        );
      });
    }
  }

  async #clone(commit: string, worktree: string): Promise<void> {
    await this.#git(['init', '-q', `--object-format=${formatOf(commit)}`, worktree]);
    await this.#git(['-C', worktree, 'remote', 'add', 'origin', this.#remote]);
    await this.#git([
      '-c',
      'protocol.file.allow=always',
      '-C',
      worktree,
      'fetch',
      '-q',
      '--depth=1',
      this.#repository,
      commit,
    ]);
    await this.#git(['-C', worktree, 'checkout', '-q', commit]);
  }

  async #submodules(commit: string, worktree: string): Promise<void> {
    const listing = await this.#git(['--git-dir', this.#repository, 'ls-tree', '-r', commit]);
    if (!/^160000 /m.test(listing)) return;
    const command = ['-C', worktree, `--git-dir=${this.#repository}`, `--work-tree=${worktree}`];
    const update = [...command, 'submodule', 'update', '-q', '--init', '--recursive'];
    await this.#withLogin(async (environment) => {
      // Not every server gives a part of a history.
      await this.#git([...update, '--depth=1'], environment).catch(() => this.#git(update, environment));
    });
  }

  async #copy(worktree: string, subdir: string, target: string): Promise<void> {
    const from = toText(resolveTreePath(worktree, subdir, true));
    await this.#services.bulk.run(
      'copySelection',
      from,
      { path: '/', wildcard: false, followLinks: true },
      target,
      '/',
      {
        directoryContents: true,
        createDestination: true,
        replaceExisting: true,
      },
    );
  }

  #temporary(): string {
    mkdirSync(this.#services.runDirectory, { recursive: true, mode: 0o700 });
    return mkdtempSync(join(this.#services.runDirectory, 'git-'));
  }

  /** With what the client gives for logging in: a secret, or for ssh its agent, and that only for the time of the call. */
  async #withLogin<T>(work: (environment: Record<string, string>) => Promise<T>): Promise<T> {
    if (!this.#source.attrs['git.mountsshsock'])
      return work(await gitLogin(this.#remote, this.#source.attrs, this.#services, this.#context));
    const directory = this.#temporary();
    const agent = await forwardSshAgent(
      { ID: this.#source.attrs['git.mountsshsock'], uid: 0, gid: 0, mode: 0o600, optional: true },
      join(directory, 'agent'),
      this.#services,
      this.#context,
    );
    try {
      const knownHosts = this.#source.attrs['git.knownsshhosts'] ? 'yes' : 'accept-new';
      return await work({
        ...(agent ? { SSH_AUTH_SOCK: agent.path } : {}),
        GIT_SSH_COMMAND: `ssh -o StrictHostKeyChecking=${knownHosts} -o BatchMode=yes`,
      });
    } finally {
      agent?.close();
      rmSync(directory, { recursive: true, force: true });
    }
  }

  /** No configuration, hook, prompt or protocol but those wanted here; a submodule must not name files of this machine. */
  #git(args: readonly string[], environment: Record<string, string> = {}): Promise<string> {
    const safe = [
      '-c',
      'core.hooksPath=/dev/null',
      '-c',
      'protocol.allow=never',
      ...['https', 'http', 'ssh', 'git'].flatMap((each) => ['-c', `protocol.${each}.allow=always`]),
      '-c',
      'safe.directory=*',
    ];
    const child = spawn('git', [...safe, ...args], {
      env: {
        PATH: process.env.PATH ?? '',
        HOME: '/nonexistent',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_TERMINAL_PROMPT: '0',
        LC_ALL: 'C',
        ...certificates(),
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: this.#context.signal,
    });
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let output = '';
    let complaint = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (complaint.length < 4000) complaint += chunk;
      this.#context.log(2, chunk);
    });
    child.on('error', (error) => {
      const missing = 'code' in error && error.code === 'ENOENT';
      reject(
        missing
          ? new SlipwayError('failed-precondition', 'cannot use git sources: there is no git on this machine', {
              hint: 'apt-get install git',
            })
          : error,
      );
    });
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else
        reject(
          new SlipwayError(
            'unavailable',
            `cannot fetch ${JSON.stringify(withoutLogin(this.#remote))}: ${complaint.trim().replaceAll(this.#remote, withoutLogin(this.#remote))}`,
          ),
        );
    });
    return promise;
  }
}

function certificates(): Record<string, string> {
  const file = process.env.GIT_SSL_CAINFO ?? process.env.SSL_CERT_FILE;
  return file === undefined ? {} : { GIT_SSL_CAINFO: file };
}

/** Among `<commit>\t<name>` lines: the name itself, a branch, a tag (what it points to), or HEAD when none is asked for. */
function findRef(listing: string, ref: string): string | undefined {
  const refs = new Map(
    listing.split('\n').flatMap((line) => {
      const match = /^([0-9a-f]{40,64})\t(.+)$/.exec(line);
      return match ? [[match[2] ?? '', match[1] ?? ''] as const] : [];
    }),
  );
  if (ref === '') return refs.get('HEAD');
  for (const name of [ref, `refs/heads/${ref}`, `refs/tags/${ref}`, `refs/${ref}`]) {
    const found = refs.get(`${name}^{}`) ?? refs.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Gives everything in the tree, and its root, one time. */
function setTimes(path: string, time: number): void {
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) setTimes(join(path, name), time);
  lutimesSync(path, time, time);
}
