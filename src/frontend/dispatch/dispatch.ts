import type { Instruction } from '../../dockerfile/instruction.ts';
import type { StageState } from '../stage-state.ts';
import { dispatchCopy } from './copy.ts';
import {
  dispatchArg,
  dispatchCmd,
  dispatchEntrypoint,
  dispatchEnv,
  dispatchExpose,
  dispatchHealthcheck,
  dispatchLabel,
  dispatchStopsignal,
  dispatchUser,
  dispatchVolume,
  dispatchWorkdir,
} from './metadata.ts';
import { dispatchRun } from './run.ts';
import type { MountSource } from './run-mounts.ts';

/** What instructions need beside their stage. */
export interface DispatchContext {
  readonly globals: ReadonlyMap<string, string>;
  readonly sources: MountSource;
}

/** Converts one instruction: changes the stage's state and image. Throws for what the user wrote wrong. */
export function dispatch(stage: StageState, instruction: Instruction, context: DispatchContext): void {
  switch (instruction.name) {
    case 'run':
      dispatchRun(stage, instruction, context.sources);
      break;
    case 'copy':
    case 'add':
      dispatchCopy(stage, instruction, context.sources);
      break;
    case 'env':
      dispatchEnv(stage, instruction);
      break;
    case 'label':
      dispatchLabel(stage, instruction);
      break;
    case 'arg':
      dispatchArg(stage, instruction, context.globals);
      break;
    case 'workdir':
      dispatchWorkdir(stage, instruction);
      break;
    case 'user':
      dispatchUser(stage, instruction);
      break;
    case 'volume':
      dispatchVolume(stage, instruction);
      break;
    case 'expose':
      dispatchExpose(stage, instruction);
      break;
    case 'cmd':
      dispatchCmd(stage, instruction);
      break;
    case 'entrypoint':
      dispatchEntrypoint(stage, instruction);
      break;
    case 'healthcheck':
      dispatchHealthcheck(stage, instruction);
      break;
    case 'stopsignal':
      dispatchStopsignal(stage, instruction);
      break;
    case 'shell':
      stage.image.config.Shell = instruction.shell;
      stage.image.addHistory(`SHELL [${instruction.shell.join(' ')}]`, false);
      break;
    case 'maintainer':
      stage.image.author = instruction.maintainer;
      stage.image.addHistory(`MAINTAINER ${instruction.maintainer}`, false);
      break;
    case 'onbuild':
      stage.image.config.OnBuild = [...(stage.image.config.OnBuild ?? []), instruction.trigger];
      break;
    case 'from':
      throw new Error('FROM begins a stage and is converted with it');
  }
}

/** Whether the instruction is a numbered step of progress. */
export function isStep({ name }: Instruction): boolean {
  return name === 'run' || name === 'copy' || name === 'add' || name === 'workdir';
}
