import type { Dockerfile, FromInstruction } from '../../dockerfile/instruction.ts';
import { descriptionOf } from '../../dockerfile/parse-instruction.ts';
import type { FrontendResult } from '../frontend.ts';
import { locationOf } from './location.ts';
import { answer } from './requests.ts';
import { drawTable } from './text-table.ts';

/** `frontend.targets`: the stages that can be built. Needs nothing but the file. */
export function listTargets({ stages }: Dockerfile, source: Uint8Array): FrontendResult {
  const targets = stages.map(({ from }, index) => ({
    ...(from.stageName === undefined ? {} : { name: from.stageName }),
    ...(index === stages.length - 1 ? { default: true } : {}),
    ...stageDescription(from),
    base: from.image,
    ...(from.platform === undefined ? {} : { platform: from.platform }),
    location: locationOf(from.range),
  }));
  const rows = targets.map(({ name, default: isDefault, description = '' }) => {
    const suffix = isDefault ? '(default)' : '';
    return [[name ?? '', suffix].filter((word) => word !== '').join(' '), description];
  });
  const value = { targets, sources: [Buffer.from(source).toString('base64')] };
  return answer(value, drawTable([['TARGET', 'DESCRIPTION'], ...rows], 1));
}

/** The comment above FROM that begins with the stage's name says what it is for. */
export function stageDescription({ stageName, comments }: FromInstruction): { readonly description?: string } {
  const description = stageName === undefined ? undefined : descriptionOf(comments, stageName);
  return description === undefined ? {} : { description };
}
