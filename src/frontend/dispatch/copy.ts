import { posix } from 'node:path';
import { invalidArgument } from '../../base/errors.ts';
import type { AddInstruction, CopyInstruction, Heredoc } from '../../dockerfile/instruction.ts';
import { expandWord } from '../../dockerfile/shell-word.ts';
import { type FileStep, fileOp, mergeOp } from '../../graph/ops.ts';
import type { Edge } from '../../graph/vertex.ts';
import { absolutePath, displayOf, expand, optionsOf, type StageState, scopeOf, stepName } from '../stage-state.ts';
import { ownerOf } from './owner.ts';
import { isRemote, remoteSource } from './remote-source.ts';
import type { MountSource } from './run-mounts.ts';

/** COPY and ADD: files from the context, a stage, an image, the text itself or, for ADD, the network. */
export function dispatchCopy(
  stage: StageState,
  instruction: CopyInstruction | AddInstruction,
  sources: MountSource,
): void {
  const sourcePaths = instruction.sources.map((source) => expand(stage, source));
  const shownDestination = expand(stage, instruction.destination);
  const isDirectory = sourcePaths.length + instruction.heredocs.length > 1;
  if (isDirectory && !shownDestination.endsWith('/')) {
    throw invalidArgument(
      `When using ${instruction.name.toUpperCase()} with more than one source file, the destination must be a directory and end with a /`,
    );
  }
  const options = optionsOf(stage, instruction, stepName(stage.naming, displayOf(stage, instruction)));
  const step = new CopySteps(stage, instruction, absolutePath(stage, shownDestination), sources, options.name);
  for (const path of sourcePaths) step.add(path);
  for (const heredoc of instruction.heredocs) step.addHeredoc(heredoc);
  stage.image.addHistory(historyText(stage, instruction, sourcePaths, shownDestination), true);
  if (instruction.link && instruction.chmod === undefined) {
    const copied = fileOp(undefined, step.steps, options);
    stage.state = mergeOp([stage.state, copied], { ...options, name: `LINK ${options.name}` });
  } else stage.state = fileOp(stage.state, step.steps, options);
}

function historyText(
  stage: StageState,
  instruction: CopyInstruction | AddInstruction,
  sources: readonly string[],
  destination: string,
): string {
  const flags = [
    ...(instruction.name === 'copy' && instruction.parents ? ['--parents'] : []),
    ...(instruction.chown === undefined ? [] : [`--chown=${expand(stage, instruction.chown)}`]),
    ...(instruction.chmod === undefined ? [] : [`--chmod=${expand(stage, instruction.chmod)}`]),
  ];
  const heredocs = instruction.heredocs.map(({ name }) => `<<${name}`);
  return [instruction.name.toUpperCase(), ...flags, ...sources, ...heredocs, destination, '# buildkit'].join(' ');
}

class CopySteps {
  readonly steps: FileStep[] = [];
  readonly #stage: StageState;
  readonly #instruction: CopyInstruction | AddInstruction;
  readonly #destination: string;
  readonly #sources: MountSource;
  readonly #name: string | undefined;

  constructor(
    stage: StageState,
    instruction: CopyInstruction | AddInstruction,
    destination: string,
    sources: MountSource,
    name: string | undefined,
  ) {
    this.#stage = stage;
    this.#instruction = instruction;
    this.#destination = destination;
    this.#sources = sources;
    this.#name = name;
  }

  add(path: string): void {
    if (isRemote(path)) {
      if (this.#instruction.name === 'copy')
        throw invalidArgument(`source can't be a URL for COPY: ${JSON.stringify(path)}`, { hint: 'use ADD' });
      const { edge, src } = remoteSource(this.#stage, this.#instruction, path, this.#name);
      this.#push(src, edge, { attemptUnpackDockerCompatibility: this.#instruction.unpack === true });
      return;
    }
    const { path: source, include } = this.#pivot(path);
    const from = this.#instruction.name === 'copy' ? this.#instruction.from : undefined;
    const required = include !== undefined && !/[*?[]/.test(path) ? [posix.join('/', source, include)] : [];
    this.#push(posix.resolve('/', source), this.#sources(from, [path]), {
      followSymlink: true,
      dirCopyContents: true,
      allowWildcard: true,
      allowEmptyWildcard: true,
      attemptUnpackDockerCompatibility: this.#instruction.name === 'add' && this.#instruction.unpack !== false,
      ...(include === undefined ? {} : { includePatterns: [include], requiredPaths: required }),
    });
  }

  addHeredoc({ name, content, expand: expanded }: Heredoc): void {
    const text = expanded ? expandWord(content, scopeOf(this.#stage), { skipQuotes: true }).result : content;
    const file = fileOp(
      undefined,
      [
        {
          action: { case: 'mkfile', value: { path: `/${name}`, mode: 0o644, data: Buffer.from(text), timestamp: -1n } },
        },
      ],
      {
        name: '[internal] preparing inline document',
        platform: this.#stage.platform,
      },
    );
    this.#push(`/${name}`, file, {});
  }

  /** `--parents`: the part before `/./` is left out, the rest kept. */
  #pivot(path: string): { readonly path: string; readonly include: string | undefined } {
    if (this.#instruction.name !== 'copy' || !this.#instruction.parents) return { path, include: undefined };
    const at = path.indexOf('/./');
    const [root, pattern] = at < 0 ? ['/', path] : [path.slice(0, at), path.slice(at + 3)];
    return { path: root === '' ? '/' : root, include: posix.resolve('/', pattern).slice(1) };
  }

  #push(src: string, from: Edge | undefined, more: Partial<Record<string, unknown>>): void {
    const { chown, chmod, exclude } = this.#instruction;
    const mode = chmod === undefined ? undefined : expand(this.#stage, chmod);
    if (mode !== undefined && /^\d+$/.test(mode) && !/^[0-7]{1,4}$/.test(mode.replace(/^0+(?=\d{4})/, ''))) {
      throw invalidArgument(`invalid chmod parameter: '${mode}'. it should be octal string and between 0 and 07777`);
    }
    const octal = mode !== undefined && /^[0-7]+$/.test(mode);
    this.steps.push({
      from,
      action: {
        case: 'copy',
        value: {
          src,
          dest: this.#destination,
          mode: octal ? Number.parseInt(mode, 8) : -1,
          modeStr: mode !== undefined && !octal ? mode : '',
          createDestPath: true,
          timestamp: -1n,
          excludePatterns: exclude.map((pattern) => expand(this.#stage, pattern)),
          ...(chown === undefined ? {} : { owner: ownerOf(expand(this.#stage, chown)) }),
          ...more,
        },
      },
    });
  }
}
