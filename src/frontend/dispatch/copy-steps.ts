import { posix } from 'node:path';
import type { FileActionCopySchema } from '../../api/gen/ops_pb.js';
import type { InitOf } from '../../api/message/schema.ts';
import { invalidArgument } from '../../base/errors.ts';
import type { AddInstruction, CopyInstruction, Heredoc } from '../../dockerfile/instruction.ts';
import { type FileStep, fileOp } from '../../graph/ops.ts';
import type { Edge } from '../../graph/vertex.ts';
import type { CopyMode } from './copy-mode.ts';
import { ownerOf } from './owner.ts';
import { isRemote, remoteSource } from './remote-source.ts';
import type { MountSource } from './run-mounts.ts';

export interface CopyPlan {
  /** Absolute. */
  readonly destination: string;
  readonly mode: CopyMode;
  readonly sources: MountSource;
  /** Shown for sources from the network. */
  readonly name: string;
}

/** One copy action for each source of a COPY or ADD whose variables are filled in. */
export class CopySteps {
  readonly steps: FileStep[] = [];
  readonly #instruction: CopyInstruction | AddInstruction;
  readonly #plan: CopyPlan;

  constructor(instruction: CopyInstruction | AddInstruction, plan: CopyPlan) {
    this.#instruction = instruction;
    this.#plan = plan;
  }

  add(path: string): void {
    if (isRemote(path)) this.#addRemote(path);
    else this.#addLocal(path);
  }

  #addRemote(url: string): void {
    const instruction = this.#instruction;
    if (instruction.name === 'copy')
      throw invalidArgument(`source can't be a URL for COPY: ${JSON.stringify(url)}`, { hint: 'use ADD' });
    const { checksum, keepGitDir, unpack } = instruction;
    const { edge, src, isGit } = remoteSource(url, { name: this.#plan.name, checksum, keepGitDir });
    this.#push(src, edge, { attemptUnpackDockerCompatibility: !isGit && unpack === true });
  }

  #addLocal(path: string): void {
    const instruction = this.#instruction;
    if (instruction.name === 'add' && instruction.checksum !== undefined)
      throw invalidArgument('checksum requires HTTP(S) or Git sources');
    const { source, include } = this.#pivot(path);
    const isLiteral = include !== undefined && !hasWildcard(source) && !hasWildcard(include);
    this.#push(
      posix.resolve('/', source),
      this.#plan.sources(instruction.name === 'copy' ? instruction.from : undefined, [posix.join('/', path)]),
      {
        followSymlink: true,
        dirCopyContents: true,
        allowWildcard: true,
        allowEmptyWildcard: true,
        attemptUnpackDockerCompatibility: instruction.name === 'add' && instruction.unpack !== false,
        includePatterns: include === undefined ? [] : [include],
        requiredPaths: isLiteral ? [posix.join('/', source, include)] : [],
      },
    );
  }

  /** `--parents`: the part before `/./` is left out, the rest kept. */
  #pivot(path: string): { readonly source: string; readonly include: string | undefined } {
    if (this.#instruction.name !== 'copy' || !this.#instruction.parents) return { source: path, include: undefined };
    const at = path.indexOf('/./');
    const [source, pattern] = at < 0 ? ['/', path] : [path.slice(0, at), path.slice(at + 3)];
    return { source, include: posix.join('/', pattern).slice(1) };
  }

  addHeredoc({ name, content }: Heredoc): void {
    const path = posix.resolve('/', name);
    const document = { path, mode: 0o644, data: Buffer.from(content), timestamp: -1n };
    const file = fileOp(undefined, [{ action: { case: 'mkfile', value: document } }], {
      name: '[internal] preparing inline document',
    });
    this.#push(path, file, {});
  }

  #push(src: string, from: Edge | undefined, more: InitOf<typeof FileActionCopySchema>): void {
    const { chown, exclude } = this.#instruction;
    const value = {
      src,
      dest: this.#plan.destination,
      ...this.#plan.mode,
      createDestPath: true,
      timestamp: -1n,
      excludePatterns: [...exclude],
      ...(chown === undefined ? {} : { owner: ownerOf(chown) }),
      ...more,
    };
    this.steps.push({ from, action: { case: 'copy', value } });
  }
}

function hasWildcard(path: string): boolean {
  return /[*?[]/.test(path.replace(/\\[\s\S]/g, ''));
}
