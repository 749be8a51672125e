import { invalidArgument } from '../base/errors.ts';
import type { AddInstruction, Stage } from '../dockerfile/instruction.ts';
import { expandWord } from '../dockerfile/shell-word.ts';
import type { Edge } from '../graph/vertex.ts';
import type { BuildOptions } from './build-options.ts';
import { isRemote, remoteSource } from './dispatch/remote-source.ts';
import type { GlobalScope } from './scopes.ts';

/** The one thing from the network that a stage adds to nothing; SOURCE_DATE_EPOCH may take its time. */
export function epochStageSource(
  { from, instructions }: Stage,
  { options, globals }: { readonly options: BuildOptions; readonly globals: GlobalScope },
): Edge {
  const variables = new Map(globals.values);
  variables.delete('SOURCE_DATE_EPOCH');
  const expand = (text: string) => expandWord(text, variables).result;
  if (expand(from.image) !== 'scratch') throw invalidArgument('SOURCE_DATE_EPOCH stage must use FROM scratch');
  let source: Edge | undefined;
  for (const instruction of instructions) {
    if (instruction.name === 'arg') {
      for (const { key, value } of instruction.args) {
        const chosen = options.buildArgs.get(key) ?? (value === undefined ? undefined : expand(value));
        if (chosen !== undefined) variables.set(key, chosen);
      }
    } else if (instruction.name !== 'add')
      throw invalidArgument(
        `SOURCE_DATE_EPOCH stage does not meet source-only requirements: unsupported ${instruction.name} instruction`,
      );
    else if (source) throw invalidArgument('SOURCE_DATE_EPOCH stage must contain exactly one remote ADD');
    else source = addedSource(instruction, expand);
  }
  if (!source) throw invalidArgument('SOURCE_DATE_EPOCH stage must contain exactly one remote ADD');
  return source;
}

function addedSource(add: AddInstruction, expand: (text: string) => string): Edge {
  const [path, second] = add.sources;
  if (path === undefined || second !== undefined || add.heredocs.length > 0)
    throw invalidArgument('SOURCE_DATE_EPOCH stage must contain exactly one remote ADD source');
  const url = expand(path);
  if (!isRemote(url)) throw invalidArgument('SOURCE_DATE_EPOCH stage source must be a single HTTP(S) or Git ADD');
  const checksum = add.checksum === undefined ? undefined : expand(add.checksum);
  const name = '[internal] resolve SOURCE_DATE_EPOCH source stage';
  return remoteSource(url, { name, checksum, keepGitDir: add.keepGitDir }).edge;
}
