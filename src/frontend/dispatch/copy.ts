import { randomUUID } from 'node:crypto';
import { invalidArgument } from '../../base/errors.ts';
import type { AddInstruction, CopyInstruction, Heredoc } from '../../dockerfile/instruction.ts';
import { expandWord } from '../../dockerfile/shell-word.ts';
import { fileOp, mergeOp } from '../../graph/ops.ts';
import { absolutePath, displayOf, expand, optionsOf, type StageState } from '../stage-state.ts';
import { parseCopyMode } from './copy-mode.ts';
import { CopySteps } from './copy-steps.ts';
import type { MountSource } from './run-mounts.ts';

/** COPY and ADD: files from the context, a stage, an image, the text itself or, for ADD, the network. */
export function dispatchCopy(stage: StageState, written: CopyInstruction | AddInstruction, sources: MountSource): void {
  const instruction = expanded(stage, written);
  checkChecksum(instruction);
  const shown = displayOf(stage, written);
  const name = stage.names.next(shown, stage.environment);
  const options = optionsOf(stage, written, name);
  const steps = new CopySteps(instruction, {
    destination: absolutePath(stage, instruction.destination),
    mode: parseCopyMode(instruction.chmod),
    sources,
    name,
  });
  for (const path of instruction.sources) steps.add(path);
  for (const heredoc of instruction.heredocs) steps.addHeredoc(heredoc);
  stage.image.addHistory(historyText(instruction), true);
  if (!instruction.link || instruction.chmod !== undefined) {
    stage.state = fileOp(stage.state, steps.steps, options);
    return;
  }
  const group = { id: randomUUID(), name };
  const copied = fileOp(undefined, steps.steps, { ...options, progressGroup: { ...group, weak: true } });
  const linkName = stage.names.current(`LINK ${shown}`, stage.environment);
  stage.state = mergeOp([stage.state, copied], { ...options, name: linkName, progressGroup: group });
}

/** The instruction with its variables filled in. Those of patterns are left to whoever reads patterns. */
function expanded<I extends CopyInstruction | AddInstruction>(stage: StageState, instruction: I): I {
  const { sources, destination, heredocs, chown, chmod } = instruction;
  const filled = (text: string | undefined) => (text === undefined ? undefined : expand(stage, text));
  return {
    ...instruction,
    sources: sources.map((source) => expand(stage, source)),
    destination: expand(stage, destination),
    heredocs: heredocs.map((heredoc) => expandedHeredoc(stage, heredoc)),
    chown: filled(chown),
    chmod: filled(chmod),
    exclude: instruction.exclude.map((pattern) => expand(stage, pattern)),
    ...(instruction.name === 'add' ? { checksum: filled(instruction.checksum) } : {}),
  };
}

function expandedHeredoc(stage: StageState, heredoc: Heredoc): Heredoc {
  if (!heredoc.expand) return heredoc;
  return { ...heredoc, content: expandWord(heredoc.content, stage.environment, { skipQuotes: true }).result };
}

function checkChecksum(instruction: CopyInstruction | AddInstruction): void {
  if (instruction.name !== 'add' || instruction.checksum === undefined) return;
  if (instruction.sources.length !== 1) throw invalidArgument("checksum can't be specified for multiple sources");
}

/** As docker's history shows it. */
function historyText(instruction: CopyInstruction | AddInstruction): string {
  const { name, chown, chmod, sources, heredocs, destination } = instruction;
  const words = [
    name.toUpperCase(),
    ...(name === 'copy' && instruction.parents ? ['--parents'] : []),
    ...(chown === undefined ? [] : [`--chown=${chown}`]),
    ...(chmod === undefined ? [] : [`--chmod=${chmod}`]),
    ...sources,
    ...heredocs.map((heredoc) => `<<${heredoc.name}`),
    destination,
    '# buildkit',
  ];
  return words.join(' ');
}
